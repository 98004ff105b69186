"""Looking into a scenario: go to a moment, step, look at what is seen and what is true, go back, leave things out.

Every position is a run from the beginning, so going back is going there again; it costs what its seconds cost.
"""

from __future__ import annotations

import cmd
from dataclasses import replace
from typing import IO

import numpy as np

from rig.errors import UsageError
from rig.scenario import Event, Played, Scenario, Stage, event_of, shrink
from rig.trace import Samples

__all__ = ["Debugger", "causes"]

USUAL = ("mode", "alarm_word", "warning_word")
STEP_S = 0.1
SHORTEST_S = 0.1


def causes(stage: Stage, scenario: Scenario, requirement: str) -> tuple[Event, ...]:
    """The events without which a requirement is not broken: a smallest set, the rest of the scenario as it is."""

    def still_shows(smaller: Scenario) -> bool:
        as_it_was = replace(scenario, events=smaller.events)
        return smaller == as_it_was and requirement in stage.play(smaller).broken

    return shrink(scenario, still_shows).events


class Debugger(cmd.Cmd):
    """A prompt on one scenario.

    Args:
        stage: where it is played.
        scenario: what happens in it.
        at_s: where to begin, s.
        out: where answers go.
    """

    intro = "help lists what you can say; Ctrl-D ends"
    use_rawinput = True

    def __init__(self, stage: Stage, scenario: Scenario, at_s: float, out: IO[str]) -> None:
        super().__init__(stdout=out)
        self.stage, self.scenario = stage, scenario
        self.whole = scenario
        self.at_s = min(max(at_s, SHORTEST_S), scenario.lasts_s)
        self.played = self._play()

    def _play(self) -> Played:
        """Up to where it stands."""
        events = tuple(event for event in self.scenario.events if event.at_s <= self.at_s)
        played = self.stage.play(replace(self.scenario, lasts_s=self.at_s, events=events, recovers=False))
        self.prompt = f"{self.at_s:g} s {played.state}> "
        return played

    def _say(self, text: str) -> None:
        print(text, file=self.stdout)

    def onecmd(self, line: str) -> bool:
        """One command; what cannot be is told."""
        try:
            return super().onecmd(line)
        except (UsageError, ValueError) as error:
            self._say(f"{error}")
            return False

    def emptyline(self) -> bool:
        """Nothing said, nothing done."""
        return False

    def default(self, line: str) -> None:
        """Something unknown."""
        if line == "EOF":
            return
        self._say(f"there is no {line.split(maxsplit=1)[0]!r}; help lists what there is")

    def do_EOF(self, _: str) -> bool:  # noqa: N802 - the name that cmd calls on Ctrl-D
        """End."""
        self._say("")
        return True

    def do_quit(self, _: str) -> bool:
        """End."""
        return True

    def do_go(self, text: str) -> None:
        """Go SECONDS: to a moment, forward or back."""
        self.at_s = min(max(_number(text, "go 12.5"), SHORTEST_S), self.scenario.lasts_s)
        self.played = self._play()
        self.do_events("")

    def do_step(self, text: str) -> None:
        """Step [SECONDS]: on by one scan, or by so much; negative goes back."""
        self.do_go(f"{self.at_s + (_number(text, 'step 1') if text else STEP_S)}")

    def do_look(self, text: str) -> None:
        """Look [TAG …]: what is seen and what is true now; parts of names will do."""
        recording = self.played.recording
        wanted = text.split() or list(USUAL)
        for name in _matching(wanted, recording.tags, recording.truth):
            told = []
            for label, table in (("seen", recording.tags), ("true", recording.truth)):
                if name in table and len(table):
                    told.append(f"{label} {_shown(table, name)}")
            self._say(f"  {name:<36} {'   '.join(told)}")

    def do_events(self, _: str) -> None:
        """events: of the scenario, with their numbers; those that have happened are marked."""
        for number, event in enumerate(self.scenario.events, 1):
            self._say(f"  {'•' if event.at_s <= self.at_s else ' '} {number} {event.as_text}")

    def do_broken(self, _: str) -> None:
        """broken: what is broken up to now, and what came nearest."""
        for name in self.played.broken:
            self._say(f"  ✗ {name}: {self.played.why(name)}")
        judged = sorted((one.margin, one.rule) for one in self.played.verdicts if one.margin is not None)
        self._say("  nearest: " + ", ".join(f"{name} {margin:.2f}" for margin, name in judged[:5]))

    def do_without(self, text: str) -> None:
        """Without NUMBER …: leave events out from here on; `again` brings them back."""
        numbers = {int(_number(word, "without 2")) for word in text.split()}
        if not numbers or not numbers <= set(range(1, len(self.scenario.events) + 1)):
            raise UsageError(f"give numbers of events, 1 … {len(self.scenario.events)}; `events` lists them")
        kept = tuple(event for number, event in enumerate(self.scenario.events, 1) if number not in numbers)
        self.scenario = replace(self.scenario, events=kept)
        self.played = self._play()
        self.do_events("")

    def do_branch(self, text: str) -> None:
        """Branch KIND NAME [OPTION=VALUE …]: let something else happen now, such as `branch hand open_guard`."""
        words = text.split()
        if len(words) < 2:
            raise UsageError("such as: branch button stop, or branch fault heater_lost target=heat_1_upper")
        options = dict(word.partition("=")[::2] for word in words[2:])
        event = event_of(self.at_s, words[0], words[1], {name: _option(value) for name, value in options.items()})
        events = sorted((*self.scenario.events, event), key=lambda one: one.at_s)
        self.scenario = replace(self.scenario, events=tuple(events))
        self.played = self._play()
        self.do_events("")

    def do_again(self, _: str) -> None:
        """again: the scenario as it was read."""
        self.scenario = self.whole
        self.played = self._play()
        self.do_events("")

    def do_causes(self, text: str) -> None:
        """Causes [REQUIREMENT]: the events without which it is not broken."""
        broken = self.stage.play(self.scenario).broken
        name = text.strip() or next(iter(broken), "")
        if name not in broken:
            raise UsageError(f"the whole scenario does not break {name or 'anything'}")
        for event in causes(self.stage, self.scenario, name):
            self._say(f"  {event.as_text}")


def _number(text: str, such_as: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a number; such as: {such_as}") from None


def _option(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _matching(wanted: list[str], *tables: Samples) -> list[str]:
    known = dict.fromkeys(channel.name for table in tables for channel in table.channels)
    found = [name for part in wanted for name in known if part in name]
    if not found:
        raise UsageError(f"nothing is called like {' or '.join(wanted)}")
    return list(dict.fromkeys(found))


def _shown(table: Samples, name: str) -> str:
    value, channel = float(table[name][-1]), table.channel(name)
    if np.isnan(value):
        return "unknown"
    if channel.bits:
        on = [bit for place, bit in enumerate(channel.bits) if int(value) >> place & 1]
        return ", ".join(on) or "none"
    return channel.texts.get(int(value), f"{value:.6g}") + (f" {channel.unit}" if channel.unit else "")
