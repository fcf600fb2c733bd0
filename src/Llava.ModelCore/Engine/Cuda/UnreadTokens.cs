using System.Runtime.InteropServices;
using Llava.ModelCore.Native.Cuda;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Tokens that the device has chosen, or will have once it comes to it, on their way to the host.</summary>
internal sealed class UnreadTokens : IDisposable
{
    private readonly StepWork[] _works;
    private readonly Tensor _chosen;
    private readonly Tensor _onHost;
    private readonly CudaEvent _arrived;

    /// <summary>Sends them on their way.</summary>
    /// <param name="works">Whose they are.</param>
    /// <param name="chosen">int32 (2 · works) on the device: tokens, then bits of their log-probabilities. Kept.</param>
    /// <param name="session">The device.</param>
    public UnreadTokens(StepWork[] works, Tensor chosen, CudaSession session)
    {
        (_works, _chosen) = (works, chosen.DetachFromDisposeScope());
        // Only memory that the system does not move is written while the host does something else.
        _onHost = (session.IsCuda ? empty(chosen.shape, ScalarType.Int32).pin_memory() : empty(chosen.shape, ScalarType.Int32)).DetachFromDisposeScope();
        _onHost.copy_(chosen, true);
        _arrived = new CudaEvent(session.Driver);
        _arrived.Record(session.Kernels.Stream);
    }

    /// <summary>How many.</summary>
    public int Count => _works.Length;

    /// <summary>int32 (works): the tokens on the device, in the caller's scope.</summary>
    public Tensor OnDevice => _chosen.narrow(0, 0, _works.Length);

    /// <summary>Where a sequence's token lies among them; −1 where it does not.</summary>
    public int IndexOf(Sequence sequence) => Array.FindIndex(_works, work => work.Sequence == sequence);

    /// <summary>Says that nobody waits for them before the next step.</summary>
    public void Leave()
    {
        foreach (var work in _works)
        {
            work.Sequence.Unread++;
        }
    }

    /// <summary>Takes back what <see cref="Leave"/> said.</summary>
    public void Return()
    {
        foreach (var work in _works)
        {
            work.Sequence.Unread--;
        }
    }

    /// <summary>Waits until they are there.</summary>
    /// <returns>For each work its token, −1 where there was none to choose, and its log-probability.</returns>
    /// <exception cref="CudaException">The device has failed.</exception>
    public (StepWork Work, int Token, float LogProbability)[] Read()
    {
        _arrived.Wait();
        var numbers = MemoryMarshal.Cast<byte, int>(_onHost.bytes);
        var read = new (StepWork, int, float)[_works.Length];
        for (var i = 0; i < read.Length; i++)
        {
            read[i] = (_works[i], numbers[i], BitConverter.Int32BitsToSingle(numbers[_works.Length + i]));
        }

        return read;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arrived.Dispose();
        _onHost.Dispose();
        _chosen.Dispose();
    }
}
