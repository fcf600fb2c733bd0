using Llava.ModelCore.Engine;

namespace Llava.GpuConsumer.Runners;

/// <summary>Loads checkpoints.</summary>
/// <param name="folderOf">Where the checkpoint of a model is.</param>
/// <param name="options">How engines are set up.</param>
/// <param name="images">Reads the images.</param>
/// <param name="time">Clock of the timings.</param>
public sealed class EngineItemRunnerFactory(Func<string, string> folderOf, EngineOptions options, IImageBytes images, TimeProvider time) : IItemRunnerFactory
{
    /// <inheritdoc/>
    /// <remarks>A load in progress is not given up: ending the process under native code that reads a checkpoint crashes it.</remarks>
    public async ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) =>
        await Task.Run(() => new EngineItemRunner(model, LoadedModel.Load(folderOf(model), options, time), options.MaxSlots, images, time), CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask<ModelDescription> DescribeAsync(string model, CancellationToken cancellation) =>
        await Task.Run(() => Describe(folderOf(model)), cancellation);

    /// <inheritdoc/>
    public int SlotsOf(string model) => options.MaxSlots;

    private ModelDescription Describe(string folder) => new(LoadedModel.RevisionOf(folder, options), options.MaxSlots, ModelMemory.Estimate(folder, options).Total)
    {
        Smaller = MemoryFit.Smaller(folder, options),
    };
}
