using Llava.Hosting.Processes;

namespace Llava.GpuConsumer.Models;

/// <summary>How much memory models may take together.</summary>
internal static class MemoryBudget
{
    // The rest is for pixels of items that wait, results and the runtime itself.
    private const double Share = 0.8;

    /// <summary>The bytes that the options name, or a share of what is free now.</summary>
    public static long Of(ConsumerOptions options) =>
        options.MemoryBudget > 0 ? options.MemoryBudget
        : AvailableMemory.Read() is var free and < long.MaxValue ? (long)(free * Share)
        : long.MaxValue;
}
