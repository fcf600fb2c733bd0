namespace Llava.GpuConsumer.Runners;

/// <summary>
/// A model that says the prompt back at once: measures the pipeline without the model (<c>llava bench queue</c>), and tries
/// out a source or a prompt template before a real model is paid for.
/// </summary>
public sealed class NullItemRunner : IItemRunner
{
    /// <summary>Name that jobs ask for to be answered by nobody.</summary>
    public const string ModelName = "null";

    /// <inheritdoc/>
    public string Model => ModelName;

    /// <inheritdoc/>
    public string Revision => "1";

    /// <summary>Enough to keep the pipeline full: it never runs anything.</summary>
    public int Slots => 2048;

    /// <inheritdoc/>
    public Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation) =>
        Task.FromResult(new ItemAnswer(item.Prompt, "stop", default, default));
}

/// <summary>Gives <see cref="NullItemRunner"/> for its name, and others from the factory behind it.</summary>
/// <param name="others">Knows the real models; null where there are none.</param>
public sealed class NullItemRunnerFactory(IItemRunnerFactory? others = null) : IItemRunnerFactory
{
    private readonly NullItemRunner _runner = new();

    /// <inheritdoc/>
    public ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) => model == NullItemRunner.ModelName
        ? ValueTask.FromResult<IItemRunner>(_runner)
        : others?.GetAsync(model, cancellation) ?? throw new ArgumentException($"There is no model '{model}' here, only '{NullItemRunner.ModelName}'.", nameof(model));
}
