"""The published splits: their three-line files, and the protocol that is kept as it was."""

import dataclasses

import numpy as np
import pytest

from kt_models.data.csv_log import LogUnreadable
from kt_models.data.legacy_splits import LEGACY_SETS, read_legacy_split, split_off_validation

WHOLE = LEGACY_SETS["assist2009"]
FOLDED = LEGACY_SETS["statics"]


def lines(count, *, concept=3, right=1):
    return f"{count}\n{','.join([str(concept)] * count)}\n{','.join([str(right)] * count)}\n"


@pytest.fixture
def written(tmp_path):
    """Write a set's two files and return the folder."""

    def write(kind, *, train, test):
        folder = tmp_path / kind.folder
        folder.mkdir()
        (folder / f"{kind.folder}_train.csv").write_text(train)
        (folder / f"{kind.folder}_test.csv").write_text(test)
        return tmp_path

    return write


class TestReadLegacySplit:
    def test_reads_concepts_and_outcomes_in_order(self, written):
        train = "10\n7,7,8,7,7,7,7,7,7,9,\n1,0,1,1,1,1,1,1,1,0,\n"

        split = read_legacy_split(written(WHOLE, train=train, test=lines(10)), WHOLE)

        keys = np.array(split.train.concept_keys)
        assert keys[split.train.concepts[:, 0]].tolist() == list("7787777779")
        assert split.train.correct.tolist() == [1, 0, 1, 1, 1, 1, 1, 1, 1, 0]
        assert keys[split.test.concepts[:, 0]].tolist() == ["3"] * 10

    def test_drops_short_and_long_sequences_where_nothing_is_folded(self, written):
        train = lines(9) + lines(10) + lines(201) + lines(202)

        split = read_legacy_split(written(WHOLE, train=train, test=lines(10)), WHOLE)

        assert np.diff(split.train.starts).tolist() == [10, 201]

    def test_cuts_at_201_and_drops_pieces_under_five_where_folded(self, written):
        train = lines(405) + lines(407) + lines(4)

        split = read_legacy_split(written(FOLDED, train=train, test=lines(10)), FOLDED)

        assert np.diff(split.train.starts).tolist() == [201, 201, 201, 201, 5]

    def test_tells_where_a_file_is_wrong(self, written):
        wrong = lines(10) + "3\n1,2\n0,1\n"

        with pytest.raises(LogUnreadable, match="line 4"):
            read_legacy_split(written(WHOLE, train=wrong, test=lines(10)), WHOLE)

    def test_names_the_file_that_is_missing(self, tmp_path):
        with pytest.raises(LogUnreadable, match=r"STATICS_train\.csv is not there"):
            read_legacy_split(tmp_path, FOLDED)


class TestSplitOffValidation:
    def test_keeps_all_pieces_of_a_learner_on_one_side(self, written):
        train = "".join(lines(150 + 60 * k) for k in range(10))
        split = read_legacy_split(written(FOLDED, train=train, test=lines(10)), FOLDED)

        rest, held_out = split_off_validation(split.train, share=0.3, seed=1)

        sides = [{key.split(":")[0] for key in log.learner_keys} for log in (rest, held_out)]
        assert len(sides[1]) == 3
        assert not sides[0] & sides[1]
        assert len(rest) + len(held_out) == len(split.train)
        assert split_off_validation(split.train, share=0.3, seed=1)[1].sha256() == held_out.sha256()


def test_only_the_set_with_repeated_answers_is_called_leaky():
    leaky = [name for name, kind in LEGACY_SETS.items() if dataclasses.asdict(kind)["leaky"]]

    assert leaky == ["assist2009"]
