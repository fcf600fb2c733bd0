using Llava.ModelCore.Training;

namespace Llava.ModelCore.Tests.Training;

public sealed class DataOrderTests
{
    [Fact]
    public void Every_epoch_shows_every_sample_once_in_an_order_of_its_own()
    {
        var order = new ShuffledOrder([.. Enumerable.Range(100, 50)], seed: 42);

        Assert.Equal(Enumerable.Range(100, 50), order.Epoch(0).Order());
        Assert.Equal(Enumerable.Range(100, 50), order.Epoch(1).Order());
        Assert.NotEqual(order.Epoch(0), order.Epoch(1));
        Assert.Equal(order.Epoch(1), new ShuffledOrder([.. Enumerable.Range(100, 50)], seed: 42).Epoch(1));
        Assert.NotEqual(order.Epoch(0), new ShuffledOrder([.. Enumerable.Range(100, 50)], seed: 43).Epoch(0));
    }

    [Fact]
    public void Numbers_below_a_bound_are_uniform()
    {
        var random = new SeededRandom(1, 2);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
        {
            counts[random.Below(7)]++;
        }

        // Six standard deviations of a fair count.
        Assert.All(counts, count => Assert.InRange(count, 10_000 - 560, 10_000 + 560));
    }

    [Theory]
    [InlineData(8, 2, 2, 2)]
    [InlineData(9, 2, 2, 2)]
    [InlineData(3, 2, 8, 1)]
    [InlineData(1, 16, 1, 1)]
    public void Steps_per_epoch_are_counted_as_upstream_does(int samples, int microBatch, int accumulation, int steps)
    {
        var plan = new MicroBatchPlan(new ShuffledOrder([.. Enumerable.Range(0, samples)], 1), microBatch, accumulation);

        Assert.Equal(steps, plan.StepsFor(1));
    }

    [Theory]
    [InlineData(558128, 128, 4361)]
    [InlineData(558128, 256, 2181)]
    [InlineData(80000, 128, 625)]
    public void Published_runs_have_their_published_number_of_steps(int samples, int globalBatch, int steps)
    {
        var plan = new MicroBatchPlan(new ShuffledOrder([.. Enumerable.Range(0, samples)], 1), globalBatch, 1);

        Assert.Equal(steps, plan.StepsFor(1));
    }

    [Fact]
    public void Accumulation_runs_on_across_epochs_and_the_last_micro_batch_may_be_short()
    {
        var plan = new MicroBatchPlan(new ExplicitOrder([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]), microBatch: 2, accumulation: 2);

        Assert.Equal([[0, 1], [2, 3]], plan.MicroBatchesOf(0));
        Assert.Equal([[4], [5, 6]], plan.MicroBatchesOf(1));
        Assert.Equal([[7, 8], [9]], plan.MicroBatchesOf(2));
        Assert.Equal(2, plan.EpochsAfter(3));
    }

    [Fact]
    public void An_explicit_order_that_ends_before_the_run_is_refused()
    {
        var plan = new MicroBatchPlan(new ExplicitOrder([[0, 1]]), microBatch: 2, accumulation: 1);

        Assert.Throws<TrainingException>(() => plan.MicroBatchesOf(1));
        Assert.Throws<TrainingException>(() => new ExplicitOrder([[0, 1], [2]]));
    }
}
