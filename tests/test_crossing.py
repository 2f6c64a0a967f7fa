"""The counts of the benchmark of the play command's path."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from benchmarks.crossing import Crossing, cross_to_pipe
from homeassistant.core import HomeAssistant

_MODULE = """
def begin():
    return sum(each for each in map(lambda each: step(), range(3)))

def step():
    return 1
"""


def test_functions_are_counted_from_the_first_one_on(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(_MODULE)
    spec = spec_from_file_location("crossed", tmp_path / "module.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with Crossing(tmp_path, begins_at="begin") as crossing:
        spec.loader.exec_module(module)
        module.step()
        module.begin()
        crossing.is_over = True
        module.step()

    assert crossing.calls == [("module.py", "begin"), *[("module.py", "step")] * 3]
    assert crossing.modules == {"module.py"}
    assert len(crossing.functions) == 2


async def test_a_play_command_is_followed_to_the_pipe(
    hass: HomeAssistant, player: str, song: str
) -> None:
    crossing = await cross_to_pipe(hass, player, song)

    assert crossing.calls[0][1].endswith(".async_play_media")
    assert len(crossing.functions) < len(crossing.calls)
    assert not crossing.states
