//! Programs in front of the training script, and which of several commands trains.

use std::path::Path;

use moe_lint::launch::{Launch, NoFiles, Options, read_script};

fn read(script: &str) -> Launch {
    read_where(script, true)
}

fn read_where(script: &str, complete: bool) -> Launch {
    let options = Options { files: &NoFiles, complete, ..Options::default() };
    read_script(Path::new("train.sh"), script, &options).expect("a script")
}

/// What the training script and its words are, in one text.
fn trained(script: &str) -> String {
    trained_in(&read(script))
}

fn trained_in(launch: &Launch) -> String {
    let Some(entry) = launch.training_entry() else { return "nothing".to_owned() };
    let text = |word: &moe_lint::launch::Word| word.value.clone().unwrap_or_else(|u| format!("<{}>", u.name));
    let words: Vec<String> = std::iter::once(entry.script).chain(entry.arguments).map(text).collect();
    words.join(" ")
}

#[test]
fn wrappers_are_looked_through() {
    let inner = "pretrain_gpt.py --num-layers 2";
    let wrapped = [
        format!("python {inner}"),
        format!("python3 -u -X dev {inner}"),
        format!("torchrun --nproc_per_node 8 --nnodes=2 --rdzv-id x {inner}"),
        format!("python -m torch.distributed.run --nproc-per-node=8 {inner}"),
        format!("python -um torch.distributed.launch --nproc_per_node 8 {inner}"),
        format!("torchrun --nproc_per_node 8 --no-python python {inner}"),
        format!("deepspeed --num_gpus 8 --hostfile=h {inner}"),
        format!("accelerate launch --num_processes 8 {inner}"),
        format!("srun -N 2 --ntasks-per-node=8 --gres gpu:8 -l python -u {inner}"),
        format!("srun -N 2 bash -c 'torchrun --nproc_per_node 8 {inner}'"),
        format!("srun --container-image=i --export=ALL bash -lc \"set -x; cd /w && torchrun {inner}\""),
        format!("mpirun -np 16 -H a:8,b:8 -x PATH -mca btl tcp,self --bind-to none python {inner}"),
        format!("mpiexec -n 8 -ppn 4 --cpu-bind depth python3 {inner}"),
        format!("ray job submit --address=http://127.0.0.1:8265 --runtime-env-json='{{\"a\": 1}}' -- python3 {inner}"),
        format!("bash -c 'exec torchrun {inner}'"),
        format!("docker run --rm --gpus all -v /d:/d -e A=1 --shm-size 8g image:tag torchrun {inner}"),
        format!("docker run --rm image bash -c \"torchrun {inner}\""),
        format!("docker exec -w /w name torchrun {inner}"),
        format!("singularity exec --nv -B /d image.sif torchrun {inner}"),
        format!("sbatch -N 2 --wrap \"srun torchrun {inner}\""),
        format!("sbatch --wrap='torchrun {inner}'"),
        format!("sbatch -N 2 <<'X'\n#!/bin/bash\nsrun torchrun {inner}\nX"),
        format!("ssh host \"cd /w && torchrun {inner}\""),
        format!("nohup torchrun {inner} > log 2>&1 &"),
        format!("timeout -k 5 24h torchrun {inner}"),
        format!("numactl --membind=0 torchrun {inner}"),
        format!("nsys profile -o out -t cuda,nvtx --force-overwrite true torchrun {inner}"),
        format!("env A=1 -u B torchrun {inner}"),
        format!("A=1 B=2 torchrun {inner} 2>&1 | tee log"),
        format!("time torchrun {inner}"),
        format!("uv run --with x torchrun {inner}"),
        format!("conda run -n env torchrun {inner}"),
        format!("eval \"torchrun {inner}\""),
        format!("CMD='torchrun {inner}'; $CMD"),
    ];
    let mut failed = String::new();
    for script in wrapped {
        let found = trained_in(&read_where(&script, false));
        if found != inner {
            failed += &format!("{script}\n  {found}\n");
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn all_training_commands_are_found_and_the_surest_is_chosen() {
    let script = "python tools/preprocess_data.py --input x\n\
                  torchrun train.py --a\n\
                  torchrun pretrain_gpt.py --stage 1\n\
                  python tools/checkpoint/convert.py --b\n\
                  srun torchrun pretrain_gpt.py --stage 2\n";
    let launch = read(script);
    let programs: Vec<&str> = launch.commands.iter().filter_map(|command| command.known(0)).collect();
    assert_eq!(programs, ["python", "torchrun", "torchrun", "python", "srun", "torchrun"]);
    assert_eq!(launch.training, Some(2), "of equals the first");
    assert_eq!(launch.commands[5].via, Some(4), "the inner command of a wrapper follows it");
}

#[test]
fn a_wrapper_counts_where_nothing_in_it_trains() {
    let launch = read("srun -N 4 ./primus-cli-slurm-entry.sh -- train pretrain --config x.yaml");
    let entry = launch.training_entry().expect("a training command");
    assert_eq!(entry.script.value.as_deref().ok(), Some("./primus-cli-slurm-entry.sh"));
}

#[test]
fn an_option_without_its_value_is_told() {
    // `$MASTER` is empty: argparse takes the next option for no value and stops.
    let launch = read("torchrun --master_addr $MASTER --master_port 6000 pretrain_gpt.py --x");
    assert_eq!(launch.training, Some(0));
    assert_eq!(launch.remarks.len(), 1, "{:?}", launch.remarks);
    assert_eq!(launch.remarks[0].message, "`--master_addr` has no value: torchrun stops here");
    assert_eq!(launch.remarks[0].place.as_ref().map(|span| span.text()), Some("--master_addr"));
}

#[test]
fn outputs_that_can_be_known_in_part_decide_what_they_can() {
    let address = "A=$(hostname -I | awk '{print $1}')\nfor ip in IP1 node-2; do [ \"$A\" == $ip ] && RANK=$ip; done\n";
    assert_eq!(trained(&format!("{address}torchrun pretrain_gpt.py --rank=$RANK")), "pretrain_gpt.py --rank=");
    let address = "A=$(hostname -I | awk '{print $1}')\nif [ \"$A\" == 10.0.0.1 ]; then RANK=1; else RANK=2; fi\n";
    let found = trained(&format!("{address}torchrun pretrain_gpt.py --rank $RANK"));
    assert_eq!(found, "pretrain_gpt.py --rank <the output of `hostname -I`>");
    let none = "if ls /nowhere/x-*.whl > /dev/null 2>&1; then A=1; else A=2; fi\ntorchrun pretrain_gpt.py $A";
    assert_eq!(trained(none), "pretrain_gpt.py 2");
    let perl = "export N=r6i[4-7],x\nM=$(perl -le '$_=$ENV{\"N\"}; s/,.*//; s/-.*//; s/\\[//; print')\n";
    assert_eq!(trained(&format!("{perl}torchrun pretrain_gpt.py $M")), "pretrain_gpt.py r6i4");
}
