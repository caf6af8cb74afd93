"""Is there a Java that Spark can run on? Standard library only: `python pipeline/java.py` works before anything is installed."""

import os
import re
import shutil
import subprocess
import sys

MINIMUM = 17


def java_problem() -> str | None:
    """Return what is wrong with Java on this machine, in one line, or None."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else shutil.which("java")
    what_to_do = f"install a JDK or JRE {MINIMUM} or newer (for example the package openjdk-{MINIMUM}-jre-headless)"
    if java is None or not os.path.exists(java):
        return f"Java was not found ({'JAVA_HOME=' + home if home else 'no java on PATH'}); {what_to_do}"
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{java} does not run ({error}); {what_to_do}"
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    if done.returncode != 0 or not found:
        return f"{java} -version says nothing Spark could go by; {what_to_do}"
    if int(found.group(1)) < MINIMUM:
        return f"{java} is Java {found.group(1)}, Spark needs {MINIMUM}; {what_to_do}, or point JAVA_HOME at one"
    return None


if __name__ == "__main__":
    problem = java_problem()
    sys.exit(problem and f"nightjar: {problem}")
