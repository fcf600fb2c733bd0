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

    /// <summary>Prepares the item (images, prompt, tokens) and answers it.</summary>
    /// <param name="item">What to answer.</param>
    /// <param name="cancellation">The job was paused or cancelled, or the worker ends: stop and throw.</param>
    /// <exception cref="ItemException">The item itself cannot be answered; it fails and hurts no other.</exception>
    Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation);
}

/// <summary>Gives the runner of a model, loading it the first time.</summary>
public interface IItemRunnerFactory
{
    /// <summary>The runner of <paramref name="model"/>.</summary>
    ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation);
}
