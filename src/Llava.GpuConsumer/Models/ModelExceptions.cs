using Llava.ModelCore;
using Llava.ModelCore.Engine;

namespace Llava.GpuConsumer.Models;

/// <summary>A model cannot answer here now: it could not be loaded, or its engine is broken. No item is to blame.</summary>
/// <param name="model">The model.</param>
/// <param name="reason">What is wrong with it.</param>
/// <param name="inner">The cause.</param>
public sealed class ModelUnavailableException(string model, string reason, Exception? inner = null)
    : LlavaException($"Model '{model}' cannot be used: {reason}", isRetryable: true, inner)
{
    /// <summary>The model.</summary>
    public string Model { get; } = model;
}

/// <summary>Models are larger than all the memory they may take.</summary>
/// <param name="models">Each with the bytes it takes, and the schemes with which it would take less.</param>
/// <param name="budget">The bytes there are.</param>
public sealed class ModelTooLargeException(IReadOnlyList<(string Name, long Bytes, IReadOnlyList<SmallerScheme> Smaller)> models, long budget) : LlavaException(
    $"{string.Join(" and ", models.Select(model => $"model '{model.Name}' takes {Megabytes(model.Bytes)}"))}, and the models of this process may take {Megabytes(budget)} (Llava:Consumer:MemoryBudget). "
    + string.Join(" ", models.Select(model => MemoryFit.Advice(model.Smaller, budget)).Distinct()),
    isRetryable: false)
{
    private static string Megabytes(long bytes) => FormattableString.Invariant($"{bytes / 1e6:N0} MB");
}
