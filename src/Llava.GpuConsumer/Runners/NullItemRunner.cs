using System.Globalization;

namespace Llava.GpuConsumer.Runners;

/// <summary>
/// A model that says the prompt back: measures the pipeline without the model (<c>llava bench queue</c>), and tries out a
/// source or a prompt template before a real model is paid for. As <c>null-200ms</c> it takes its time.
/// </summary>
public sealed class NullItemRunner : IItemRunner
{
    /// <summary>Name that jobs ask for to be answered by nobody, at once.</summary>
    public const string ModelName = "null";

    private const string LatencyPrefix = ModelName + "-";
    private const string LatencySuffix = "ms";

    private readonly TimeSpan _latency;

    private NullItemRunner(string model, TimeSpan latency) => (Model, _latency) = (model, latency);

    /// <inheritdoc/>
    public string Model { get; }

    /// <inheritdoc/>
    public string Revision => "1";

    /// <summary>Enough to keep the pipeline full: it never runs anything.</summary>
    public int Slots => 2048;

    /// <summary>The runner for a name, or null when that is another model's.</summary>
    public static NullItemRunner? Find(string model) =>
        model == ModelName ? new(model, TimeSpan.Zero)
        : model.StartsWith(LatencyPrefix, StringComparison.Ordinal) && model.EndsWith(LatencySuffix, StringComparison.Ordinal)
            && int.TryParse(model[LatencyPrefix.Length..^LatencySuffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? new(model, TimeSpan.FromMilliseconds(milliseconds))
        : null;

    /// <inheritdoc/>
    public IChatRunner Chat => new NullChatRunner(Revision, _latency);

    /// <inheritdoc/>
    public async Task<ItemAnswer> RunAsync(WorkItem item, CancellationToken cancellation)
    {
        if (_latency > TimeSpan.Zero)
        {
            await Task.Delay(_latency, cancellation);
        }

        return new ItemAnswer(item.Prompt, "stop", default, null);
    }
}

/// <summary>Gives <see cref="NullItemRunner"/> for its names, and others from the factory behind it.</summary>
/// <param name="others">Knows the real models; null where there are none.</param>
public sealed class NullItemRunnerFactory(IItemRunnerFactory? others = null) : IItemRunnerFactory
{
    /// <inheritdoc/>
    public ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) => NullItemRunner.Find(model) is { } runner
        ? ValueTask.FromResult<IItemRunner>(runner)
        : Others(model).GetAsync(model, cancellation);

    /// <inheritdoc/>
    public ValueTask<ModelDescription> DescribeAsync(string model, CancellationToken cancellation) => NullItemRunner.Find(model) is { } runner
        ? ValueTask.FromResult(new ModelDescription(runner.Revision, runner.Slots, MemoryBytes: 0))
        : Others(model).DescribeAsync(model, cancellation);

    /// <inheritdoc/>
    public int SlotsOf(string model) => NullItemRunner.Find(model)?.Slots ?? Others(model).SlotsOf(model);

    private IItemRunnerFactory Others(string model) =>
        others ?? throw new ArgumentException($"There is no model '{model}' here, only '{NullItemRunner.ModelName}'.", nameof(model));
}
