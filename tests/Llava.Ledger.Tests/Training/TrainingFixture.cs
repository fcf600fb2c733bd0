using Llava.Contracts.Requests;
using Llava.Ledger.Training;

namespace Llava.Ledger.Tests.Training;

/// <summary>A ledger with training runs.</summary>
public abstract class TrainingFixture(TestDatabase database) : LedgerFixture(database)
{
    protected static readonly TrainingSettings Chosen = new() { Epochs = 3, BatchSize = 2, LearningRate = 1e-4, LearningRateMultiplier = 5, SaveEvery = 2 };

    protected TrainingRuns Runs => Get<TrainingRuns>();

    protected TrainingLeases TrainingLeases => Get<TrainingLeases>();

    protected static TrainingRequest Asked(Func<TrainingRequest, TrainingRequest>? change = null) =>
        (change ?? (same => same))(new() { Model = "scenes", TrainingFile = "file-1", Suffix = "circles" });

    protected async Task<string> CreateAsync(Func<TrainingRequest, TrainingRequest>? change = null)
    {
        var run = await Runs.CreateAsync(Asked(change));
        Clock.Advance(TimeSpan.FromMilliseconds(5));
        return run.Id;
    }

    /// <summary>A run whose files were checked.</summary>
    protected async Task<string> QueueAsync(Func<TrainingRequest, TrainingRequest>? change = null)
    {
        var run = await CreateAsync(change);
        var claimed = (await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"))!;
        Assert.Equal(run, claimed.Run.Id);
        Assert.True(await TrainingLeases.QueueAsync(claimed.Lease, Chosen, 6, []));
        return run;
    }

    /// <summary>A run that a worker has begun to train.</summary>
    protected async Task<TrainingLease> BeginAsync(string owner = "w")
    {
        await QueueAsync();
        return (await TrainingLeases.ClaimAsync(TrainingPhase.Train, owner))!.Lease;
    }

    protected Task<bool> StepAsync(TrainingLease lease, int step, double loss = 1) => TrainingLeases.AdvanceAsync(
        lease,
        new() { Step = step, Loss = loss, Accuracy = 0.5, LearningRate = 1e-4, GradientNorm = 2, Tokens = 100, TokensPerSecond = 50, ValidLoss = step % 2 == 0 ? 3 : null, ValidAccuracy = step % 2 == 0 ? 0.25 : null },
        6,
        Clock.GetUtcNow() + TimeSpan.FromMinutes(1));
}
