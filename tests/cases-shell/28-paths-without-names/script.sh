# basename and dirname of no, one and several words; files without a name
X=""
torchrun train.py --a $(basename $X) --b "$(basename "")" --c "$(basename)" --d "$(basename a b c)" --e "$(dirname a/b c/d /)" --f "$(dirname)"
torchrun train.py --g "$(basename a/b.sh .sh)" --h "$(basename .sh .sh)" --i "$(dirname "")" --j "$(basename / /)"
basename a b c || torchrun train.py --three-are-too-many
N=$(wc -l < "$X") || torchrun train.py --no-name "$N"
