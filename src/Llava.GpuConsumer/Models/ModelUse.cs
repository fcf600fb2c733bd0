using Llava.GpuConsumer.Runners;

namespace Llava.GpuConsumer.Models;

/// <summary>A loaded model while somebody uses it; it stays in memory until this is disposed.</summary>
public sealed class ModelUse : IDisposable
{
    private Action? _end;

    internal ModelUse(IItemRunner runner, Action end) => (Runner, _end) = (runner, end);

    /// <summary>Answers items with the model.</summary>
    public IItemRunner Runner { get; }

    /// <inheritdoc/>
    public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
}
