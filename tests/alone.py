"""A saved module in a process where nothing but NumPy can be imported."""

import pickle
import subprocess
import sys

ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tinygrad_edu", "nn", "viz", "scipy", "matplotlib"):
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, Blocked())
sys.path[:0] = [folder for folder in sys.argv[2].split("|") if folder]
import pickle
import numpy as np

space = {"__name__": "step"}
exec(compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec"), space)
calls, found = pickle.load(open(sys.argv[3], "rb")), []
for args in calls:
    try:
        found.append(space[sys.argv[4]](*args))
    except Exception as error:
        found.append(f"{type(error).__name__}: {error}")
assert not {"tinygrad_edu", "nn", "viz", "scipy"} & set(sys.modules)
pickle.dump(found, open(sys.argv[3], "wb"))
"""


def alone(path, name, calls, folder):
    """The results of calls of a saved module, in a process where nothing but NumPy can be imported."""
    script, data = folder / "alone.py", folder / "calls.pickle"
    script.write_text(ALONE, encoding="utf-8")
    data.write_bytes(pickle.dumps(calls))
    packages = "|".join(p for p in sys.path if p.endswith("-packages"))
    command = [sys.executable, "-I", "-S", str(script), str(path), packages, str(data), name]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return pickle.loads(data.read_bytes())
