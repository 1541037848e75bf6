"""EdNet-KT1: a folder or a zip of learners' files, and the questions with their keys."""

import zipfile

import pytest

from tests.tutor.responses.importing.reading import read_log
from tutor.responses.importing.errors import UnreadableLog

FILES = {
    "KT1/u2.csv": "timestamp,solving_id,question_id,user_answer,elapsed_time\n"
    "1565332027449,1,q1,d,45000\n1565332057492,2,q2,a,24000\n1565332085743,3,q9,b,25000\n",
    "KT1/u10.csv": "timestamp,solving_id,question_id,user_answer,elapsed_time\n"
    "1565332127449,1,q2,b,45000\n1565332157492,2,q1,,24000\n",
    "contents/questions.csv": "question_id,bundle_id,explanation_id,correct_answer,part,tags,"
    "deployed_at\nq1,b1,e1,d,1,1;2;179,1\nq2,b2,e2,b,2,-1,1\n",
}


@pytest.fixture(params=["folder", "zip"])
def source(request, tmp_path):
    def make(files=FILES):
        if request.param == "folder":
            for name, text in files.items():
                (tmp_path / "ednet" / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / "ednet" / name).write_text(text)
            return tmp_path / "ednet"
        with zipfile.ZipFile(tmp_path / "ednet.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return tmp_path / "ednet.zip"

    return make


def test_grades_by_the_key_and_takes_the_tags(source):
    log = read_log(source(), form="auto")

    assert [(a.learner, a.item, a.credit, a.elapsed_ms) for a in log.answers] == [
        *(("u2", "q1", 1.0, 45000), ("u2", "q2", 0.0, 24000), ("u10", "q2", 1.0, 45000)),
    ]
    assert log.answers[0].answered_at.timestamp() == 1565332027.449
    items = {item.slug: item.concepts for item in log.course.items}
    assert items["q1"] == ("1", "2", "179")
    assert "1 questions were shown and not answered; left out." in log.warnings


def test_names_the_file_of_a_reject(source):
    [reject] = read_log(source(), form="auto").rejects

    assert (reject.place, reject.field) == ("KT1/u2.csv:4", "user_answer")


def test_says_what_is_missing(source):
    without = {name: text for name, text in FILES.items() if "questions" not in name}

    with pytest.raises(UnreadableLog, match=r"has no questions\.csv"):
        read_log(source(without), form="ednet")


def test_refuses_the_later_parts_of_ednet(source):
    files = dict(FILES) | {
        "KT1/u2.csv": "timestamp,action_type,item_id,source,user_answer\n1,a,b,c,d\n"
    }

    with pytest.raises(UnreadableLog, match="KT1 is read"):
        read_log(source(files), form="ednet")
