using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class SplicedBatchTests
{
    private const int Image = ImagePlaceholder.TokenId;
    private const int Ignored = TrainingExample.Ignored;

    [Fact]
    public void Features_take_the_placeholders_position_and_labels_stay_with_their_tokens()
    {
        var batch = Batch(
            (Shown, [1, Image, 7, 8], [Ignored, Ignored, 7, 8]),
            (TextOnly, [1, 5], [Ignored, 5]));

        var spliced = SplicedBatch.Of(batch, features: 3, maxPositions: null);

        // Table: text rows 0–2 of the first sample and 3–4 of the second, then three features, then the zeros.
        Assert.Equal([1, 7, 8, 1, 5], spliced.TextIds);
        Assert.Equal([0], spliced.ShownImages);
        Assert.Equal([0, 5, 6, 7, 1, 2, /**/ 3, 4, 8, 8, 8, 8], spliced.Gather);
        Assert.Equal([3, 4, 6], spliced.Predictors);
        Assert.Equal([7, 8, 5], spliced.Targets);
        Assert.Equal(8, spliced.Filled);
    }

    [Fact]
    public void Positions_beyond_the_limit_are_dropped_after_splicing()
    {
        var batch = Batch((Shown, [1, Image, 7, 8], [Ignored, Ignored, 7, 8]));

        var spliced = SplicedBatch.Of(batch, features: 3, maxPositions: 5);

        Assert.Equal(5, spliced.Length);
        Assert.Equal([7], spliced.Targets);
    }

    [Fact]
    public void A_row_whose_placeholder_was_cut_off_is_a_text_row()
    {
        var batch = TrainingBatch.Collate([Example(Shown, [1, 5, 6, Image], [Ignored, 5, 6, Ignored])], [], 0, padId: 0, maxLength: 3);

        var spliced = SplicedBatch.Of(batch, features: 3, maxPositions: null);

        Assert.Empty(spliced.ShownImages);
        Assert.Equal([5, 6], spliced.Targets);
    }

    [Fact]
    public void A_placeholder_without_its_own_image_is_refused_by_name()
    {
        var twice = Batch((Shown, [1, Image, Image, 8], [Ignored, Ignored, Ignored, 8]));
        var text = Batch((TextOnly, [1, Image, 8], [Ignored, Ignored, 8]));

        Assert.Contains("'seen'", Assert.Throws<TrainingException>(() => SplicedBatch.Of(twice, 3, null)).Message, StringComparison.Ordinal);
        Assert.Contains("'read'", Assert.Throws<TrainingException>(() => SplicedBatch.Of(text, 3, null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_are_padded_on_the_right_to_the_longest_and_never_beyond_the_limit()
    {
        var batch = TrainingBatch.Collate(
            [Example(TextOnly, [1, 2, 3, 4], [Ignored, 2, 3, 4]), Example(TextOnly, [1, 9], [Ignored, 9])], [], 0, padId: 6, maxLength: 3);

        Assert.Equal(3, batch.Length);
        Assert.Equal([1, 2, 3, 1, 9, 6], batch.Ids);
        Assert.Equal([Ignored, 2, 3, Ignored, 9, Ignored], batch.Labels);
        Assert.Equal([true, true, true, true, true, false], batch.Mask);
    }

    private static InstructionSample Shown { get; } = new(0, "seen", "a.png", []);

    private static InstructionSample TextOnly { get; } = new(1, "read", null, []);

    private static TrainingExample Example(InstructionSample sample, int[] ids, int[] labels) => new(sample, ids, labels);

    private static TrainingBatch Batch(params (InstructionSample Sample, int[] Ids, int[] Labels)[] rows) =>
        TrainingBatch.Collate([.. rows.Select(row => Example(row.Sample, row.Ids, row.Labels))], [], 0, padId: 0, maxLength: 100);
}
