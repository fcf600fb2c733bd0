using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class TrainingBatchTests
{
    private const int Ignored = TrainingExample.Ignored;

    [Fact]
    public void Rows_are_padded_on_the_right_to_the_longest_and_never_beyond_the_limit()
    {
        var batch = TrainingBatch.Collate(
            [Example([1, 2, 3, 4], [Ignored, 2, 3, 4]), Example([1, 9], [Ignored, 9])], [], 0, padId: 6, maxLength: 3);

        Assert.Equal(3, batch.Length);
        Assert.Equal([1, 2, 3, 1, 9, 6], batch.Ids);
        Assert.Equal([Ignored, 2, 3, Ignored, 9, Ignored], batch.Labels);
        Assert.Equal([true, true, true, true, true, false], batch.Mask);
    }

    [Fact]
    public void The_mask_goes_by_the_pad_id_so_a_real_token_of_that_id_is_hidden_as_upstream_hides_it()
    {
        var batch = TrainingBatch.Collate([Example([1, 6, 3], [Ignored, 6, 3])], [], 0, padId: 6, maxLength: 3);

        var (ids, labels) = batch.Row(0);

        Assert.Equal([1, 3], ids);
        Assert.Equal([Ignored, 3L], labels);
    }

    private static TrainingExample Example(int[] ids, int[] labels) => new(new InstructionSample(0, "s", null, []), ids, labels);
}
