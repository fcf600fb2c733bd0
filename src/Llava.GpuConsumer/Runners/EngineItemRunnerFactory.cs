using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Runners;

/// <summary>Loads checkpoints.</summary>
/// <param name="folderOf">Where the checkpoint of a model is.</param>
/// <param name="options">How engines are set up.</param>
/// <param name="images">Reads the images.</param>
/// <param name="time">Clock of the timings.</param>
/// <param name="logger">Hears of a device that cannot be used.</param>
public sealed partial class EngineItemRunnerFactory(
    Func<string, string> folderOf, EngineOptions options, IImageBytes images, TimeProvider time, ILogger<EngineItemRunnerFactory> logger) : IItemRunnerFactory
{
    /// <inheritdoc/>
    /// <remarks>A load in progress is not given up: ending the process under native code that reads a checkpoint crashes it.</remarks>
    public async ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) =>
        await Task.Run(() => new EngineItemRunner(model, Load(model), options.MaxSlots, images, time), CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask<ModelDescription> DescribeAsync(string model, CancellationToken cancellation) =>
        await Task.Run(() => Describe(folderOf(model)), cancellation);

    /// <inheritdoc/>
    public int SlotsOf(string model) => options.MaxSlots;

    private LoadedModel Load(string model)
    {
        var loaded = LoadedModel.Load(folderOf(model), options, time);
        if (loaded.FallbackReason is { } reason)
        {
            DeviceNotUsed(model, reason);
        }

        return loaded;
    }

    private ModelDescription Describe(string folder)
    {
        var chosen = DeviceChoice.Of(folder, options).Options;
        return new(LoadedModel.RevisionOf(folder, chosen), options.MaxSlots, ModelMemory.Estimate(folder, chosen).Total) { Smaller = MemoryFit.Smaller(folder, chosen) };
    }

    [LoggerMessage(3035, LogLevel.Warning, "Model {Model} is computed by the CPU: {Reason}")]
    private partial void DeviceNotUsed(string model, string reason);
}
