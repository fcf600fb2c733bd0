using Llava.ModelCore.Engine;

namespace Llava.GpuConsumer.Runners;

/// <summary>Answers items with one loaded model. Many items run at the same time; the runner batches them as it likes.</summary>
public interface IItemRunner
{
    /// <summary>Name that jobs ask for.</summary>
    string Model { get; }

    /// <summary>Revision of the weights; recorded with each result.</summary>
    string Revision { get; }

    /// <summary>Sequences that run at the same time; the scheduler's window follows from it.</summary>
    int Slots { get; }

    /// <summary>What the engine behind it is doing; null where there is none.</summary>
    EngineStatistics? Statistics => null;

    /// <summary>Answers conversations with the same model; null where it cannot.</summary>
    IChatRunner? Chat => null;

    /// <summary>Prepares the item (images, prompt, tokens) and answers it.</summary>
    /// <param name="item">What to answer.</param>
    /// <param name="cancellation">The job was paused or cancelled, or the worker ends: stop and throw.</param>
    /// <exception cref="ItemException">The item itself cannot be answered; it fails and hurts no other.</exception>
    Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation);

    /// <summary>Memory it takes on its device, in bytes. Default 0: none worth counting.</summary>
    long MemoryBytes => 0;

    /// <summary>Answers a small question of its own the way it answers items. Default: there is nothing to try out, and null.</summary>
    /// <param name="cancellation">Gives up.</param>
    Task<ItemAnswer?> TryOutAsync(CancellationToken cancellation) => Task.FromResult<ItemAnswer?>(null);

    /// <summary>Why it answers no more, as a sentence; null while it is well.</summary>
    /// <param name="stallAfter">How long it may have work and do none of it.</param>
    string? FindProblem(TimeSpan stallAfter) => null;
}

/// <summary>Loads models.</summary>
public interface IItemRunnerFactory
{
    /// <summary>Loads <paramref name="model"/>. Whoever asked disposes the runner, where it can be disposed.</summary>
    ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation);

    /// <summary>Sequences that <paramref name="model"/> will run at the same time, known before anything of it is read. Default 32.</summary>
    int SlotsOf(string model) => 32;

    /// <summary>What <paramref name="model"/> is and takes, without loading it. Default: loads it, which suits runners that cost nothing.</summary>
    async ValueTask<ModelDescription> DescribeAsync(string model, CancellationToken cancellation)
    {
        var runner = await GetAsync(model, cancellation);
        return new(runner.Revision, runner.Slots, runner.MemoryBytes);
    }
}

/// <summary>A model before it is loaded.</summary>
/// <param name="Revision">Revision of its weights.</param>
/// <param name="Slots">Sequences it will run at the same time.</param>
/// <param name="MemoryBytes">Memory it will take on its device; 0 for none worth counting.</param>
public sealed record ModelDescription(string Revision, int Slots, long MemoryBytes)
{
    /// <summary>Schemes with which it would take less, those that round least first.</summary>
    public IReadOnlyList<SmallerScheme> Smaller { get; init; } = [];
}
