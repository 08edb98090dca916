"""What is shown of results, and when they are called worse."""

import copy
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from saleor_kustom.bench import report
from saleor_kustom.cli import app
from saleor_kustom.errors import SettingsError

TOP = Path(__file__).parent.parent.parent
RECORDED = TOP / "docs/performance.json"
PAGE = TOP / "docs/performance.md"


@pytest.fixture
def recorded():
    return report.read(RECORDED)


def bench(*arguments):
    return CliRunner().invoke(app, ["bench", *map(str, arguments)])


def test_the_page_shows_what_is_recorded(tmp_path, recorded):
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    report.replace_in_page(page, recorded)
    assert page.read_text() == PAGE.read_text()


def test_what_is_recorded_is_a_whole_run(recorded):
    assert recorded["quick"] is False
    titles = [title for title, _, _ in report.sections(recorded)]
    assert len(titles) == 6
    assert "without" not in recorded


def test_a_page_without_markers_is_left_as_it_is(tmp_path, recorded):
    page = tmp_path / "page.md"
    page.write_text("no figures here\n")
    with pytest.raises(SettingsError, match="has no line <!-- figures begin -->"):
        report.replace_in_page(page, recorded)
    assert page.read_text() == "no figures here\n"


def test_the_same_results_are_not_worse(recorded):
    assert report.worse(recorded, recorded) == []
    done = bench("--from", RECORDED, "--compare", RECORDED)
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["acknowledge"][0].update(of_peer=0.001), "of the peer is 0.001, was "),
        (lambda r: r["capture"].update(of_floor=0.001), "capture: of the floor is 0.001"),
        (lambda r: r["capture"].update(requests=6.0), "capture: requests is 6, was 4"),
        (lambda r: r["capture"].update(cpu_ms=1e6), "capture: CPU, times the floor's is "),
        (lambda r: r["scale"][1].update(claim=1e6), "rows: claim is "),
        (lambda r: r["mapping"][2].update(us_per_line=1e6), "mapping: a line of 1000"),
        (lambda r: r["start"].update(of_peer=1e6), "start: times the peer's is 1e+06"),
        (lambda r: r["instances"][1].update(of_one=0.01), "instances 2: times one is 0.01"),
    ],
)
def test_a_ratio_that_got_worse_is_named_and_fails(tmp_path, recorded, change, said):
    now = copy.deepcopy(recorded)
    change(now)
    [line] = report.worse(now, recorded)
    assert said in line
    results = tmp_path / "now.json"
    results.write_text(json.dumps(now))
    done = bench("--from", results, "--compare", RECORDED)
    assert done.exit_code == 1
    assert "worse: " in done.output
    assert report.worse(recorded, now) == []  # better is never worse


def test_absolute_times_are_never_compared(recorded):
    now = copy.deepcopy(recorded)
    for row in now["acknowledge"]:
        row.update(per_cpu_s=1.0, p99_ms=1e9)
    now["start"].update(first_ack_s=1e9, idle_mb=1e9)
    assert report.worse(now, recorded) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", "no JSON"])
def test_a_file_that_holds_no_results_is_told_before_anything_is_measured(tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match="no results of the benchmark"):
        report.read(path)
    with pytest.raises(SettingsError, match="no results of the benchmark"):
        report.read(tmp_path / "missing.json")


def test_results_are_written_and_put_into_a_page(tmp_path, recorded):
    page, output = tmp_path / "page.md", tmp_path / "out.json"
    page.write_text("a\n<!-- figures begin -->\nold\n<!-- figures end -->\nb\n")
    done = bench("--from", RECORDED, "--page", page, "--output", output)
    assert done.exit_code == 0, done.output
    assert json.loads(output.read_text()) == recorded
    text = page.read_text()
    assert text.startswith("a\n")
    assert text.endswith("\nb\n")
    assert "old" not in text
    assert "| database | bytes | clients |" in text
