using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;

namespace Llava.GpuConsumer.Chunks;

/// <summary>How many chunks are in work at the same time.</summary>
internal sealed class ChunkPlaces(ConsumerOptions options, IItemRunnerFactory runners)
{
    private const int UsualChunk = 32;
    private const int Fewest = 6;
    private const int Most = 64;

    /// <summary>Chunks of all models.</summary>
    public int Total => options.Models.Distinct().Sum(PlacesOf);

    /// <summary>Places that only express chunks of the model take, so that one finds them free.</summary>
    public int ExpressOf(string model) => Math.Clamp(PlacesOf(model) / 3, 1, ChunkQueue.ExpressChunks);

    /// <summary>Places that the model's other chunks take.</summary>
    public int OthersOf(string model) => Math.Max(1, PlacesOf(model) - ExpressOf(model));

    private int PlacesOf(string model) => options.ConcurrentChunks ?? Math.Clamp((2 * runners.SlotsOf(model) / UsualChunk) + (Fewest - 2), Fewest, Most);
}
