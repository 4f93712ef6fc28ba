"""Modules that can be imported and looked into, but that do nothing.

An inert module answers every attribute with an inert class; an inert class can be called,
subclassed, compared, hashed and looked into further, always with the same answer for the
same name, so that tables keyed by its members keep distinct keys.
"""

import importlib.abc
import importlib.machinery
import sys
import types


class _InertType(type):
    """Metaclass: unknown attributes of an inert class are inert classes themselves."""

    def __getattr__(cls, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        made = inert_class(f"{cls.__name__}.{name}")
        setattr(cls, name, made)
        return made

    def __int__(cls):
        return 0

    def __index__(cls):
        return 0

    def __or__(cls, other):
        return cls

    def __iter__(cls):
        return iter(())

    def __lt__(cls, other):
        return cls.__name__ < getattr(other, "__name__", "")


class Inert(metaclass=_InertType):
    """An object of no effect."""

    def __init__(self, *_args, **_kwargs):
        pass

    def __init_subclass__(cls, **_kwargs):
        pass

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return getattr(type(self), name)

    def __call__(self, *_args, **_kwargs):
        return Inert()

    def __int__(self):
        return 0

    def __index__(self):
        return 0

    def __bool__(self):
        return False

    def __iter__(self):
        return iter(())


def inert_class(name):
    """A fresh inert class called `name`."""
    return _InertType(name.rsplit(".", 1)[-1], (Inert,), {"__qualname__": name})


class InertModule(types.ModuleType):
    """A module whose unknown attributes are inert classes, except the given `answers`."""

    def __init__(self, name, answers=None):
        super().__init__(name)
        self.__path__ = []
        self.__file__ = f"<inert {name}>"
        self.__dict__.update(answers or {})

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        made = inert_class(f"{self.__name__}.{name}")
        setattr(self, name, made)
        return made


class Loader(importlib.abc.Loader):
    """Makes inert modules; `answers` maps a module's name to the attributes it does have."""

    def __init__(self, answers):
        self.answers = answers

    def create_module(self, spec):
        return InertModule(spec.name, self.answers.get(spec.name))

    def exec_module(self, module):
        pass


class Finder(importlib.abc.MetaPathFinder):
    """Resolves the listed module names (and all below them) to inert modules."""

    def __init__(self, names, answers=None):
        self.names = tuple(names)
        self.loader = Loader(answers or {})

    def find_spec(self, name, _path=None, _target=None):
        if any(name == n or name.startswith(n + ".") for n in self.names):
            return importlib.machinery.ModuleSpec(name, self.loader, is_package=True)
        return None


class Refuser(importlib.abc.MetaPathFinder):
    """Makes the listed top-level packages impossible to import."""

    def __init__(self, names):
        self.names = frozenset(names)

    def find_spec(self, name, _path=None, _target=None):
        if name.split(".", 1)[0] in self.names:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


def provide(names, answers=None):
    """Let the listed names be imported as inert modules from now on."""
    sys.meta_path.insert(0, Finder(names, answers))


def refuse(names):
    """Let no package of these names be imported from now on."""
    sys.meta_path.insert(0, Refuser(names))
