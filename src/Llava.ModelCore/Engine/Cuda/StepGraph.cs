using Llava.ModelCore.Native.Cuda;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A graph of one shape of passes: run as it is until it is worth recording, launched as a whole from then on.</summary>
internal sealed class StepGraph : IDisposable
{
    // Libraries choose their products and take their workspaces when they first see a shape; and most shapes of a crowd that comes and goes are seen once.
    private const int WarmUps = 2;

    private readonly CudaSession _session;
    private readonly PassBuffers _buffers;
    private readonly Action _body;
    private ICapturedWork? _recorded;
    private int _runs;

    /// <param name="session">The device.</param>
    /// <param name="decoder">Computes; not disposed here.</param>
    /// <param name="shape">A pass that has the shape and nothing else.</param>
    /// <param name="numbers">int32: where the numbers of passes are put.</param>
    /// <param name="unread">int32: where tokens are put that only the device knows.</param>
    public StepGraph(CudaSession session, DeviceDecoder decoder, DevicePass shape, Tensor numbers, Tensor unread)
    {
        _session = session;
        var sampled = new SampledRows(shape, vocabulary: 0, onDevice: false).Rows;
        shape.Block.SendTo(numbers);
        _buffers = decoder.Buffers(shape.Rows, sampled.Count);
        foreach (var buffer in _buffers.All)
        {
            buffer.DetachFromDisposeScope();
        }

        _body = () => decoder.Run(shape, sampled, unread, _buffers);
    }

    /// <summary>float32 (rows, vocabulary), in a buffer that all passes share.</summary>
    public Tensor Logits => _buffers.Logits;

    /// <summary>Computes a pass whose numbers are in their place.</summary>
    /// <returns>Why it could not be launched as a whole; it was computed all the same. Null where nothing went wrong.</returns>
    public string? Run()
    {
        string? finding = null;
        if (_recorded is not null || _runs++ >= WarmUps)
        {
            try
            {
                _recorded ??= _session.Record(_body);
                _recorded.Launch(_session.Kernels.Stream);
                return null;
            }
            catch (Exception e)
            {
                finding = StepGraphs.Given(e);
            }
        }

        _body();
        return finding;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _recorded?.Dispose();
        foreach (var buffer in _buffers.All)
        {
            buffer.Dispose();
        }
    }
}
