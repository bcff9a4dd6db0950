"""``signkit completion``: what a shell needs to complete commands, options, keys and versions."""

from __future__ import annotations

from typing import Annotated

import typer

from signkit.cli.base import COMPLETION_VARIABLE, PROGRAM, App, session
from signkit.errors import UsageError

app = App()

SHELLS = ("bash", "zsh", "fish")

# Bash takes KEY@V apart at the @, so the words are taken from the line itself, and what stands before the last @ is cut
# off the answers again.
_BASH = """_signkit_completion() {
    local line=${COMP_LINE:0:COMP_POINT} word prefix reply
    local -a words
    read -r -a words <<< "$line"
    case $line in *[[:space:]]) words+=('') ;; esac
    word=${words[${#words[@]}-1]}
    prefix=
    case $word in *[@:=]*) prefix=${word%"${word##*[@:=]}"} ;; esac
    COMPREPLY=()
    while IFS= read -r reply; do
        COMPREPLY+=("${reply#"$prefix"}")
    done < <(COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - 1)) _SIGNKIT_COMPLETE=complete_bash signkit 2> /dev/null)
    [ ${#COMPREPLY[@]} -ne 0 ] || compopt -o default 2> /dev/null
}
complete -o nosort -F _signkit_completion signkit
"""


@app.verb("completion")
def completion(context: typer.Context, shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish")]) -> None:
    """Print the completion script of a shell: eval "$(signkit completion bash)"."""
    if shell not in SHELLS:
        raise UsageError(
            f"no completion for '{shell}', expected one of {' '.join(SHELLS)}",
            hint="for example: signkit completion bash",
        )
    run = session(context)
    text = script(shell)
    run.emit({"shell": shell, "script": text}, text.rstrip("\n").split("\n"))


def script(shell: str) -> str:
    """The completion script of a shell."""
    if shell == "bash":
        return _BASH
    from typer._completion_shared import get_completion_script  # no public name

    return get_completion_script(prog_name=PROGRAM, complete_var=COMPLETION_VARIABLE, shell=shell) + "\n"
