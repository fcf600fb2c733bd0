using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Runs passes through the language model: products of libtorch into buffers that are there, and between them what is ours.</summary>
internal sealed class DeviceDecoder : IDisposable
{
    private readonly DeviceWeights _weights;
    private readonly DeviceBuffers _buffers;
    private readonly DeviceElements _elements;
    private readonly DeviceRotary _rotary;
    private readonly DeviceAttention _attention;

    /// <param name="session">The device.</param>
    /// <param name="weights">The language model; not disposed here.</param>
    /// <param name="arena">Keys and values; not disposed here.</param>
    /// <param name="options">Sizes, and who computes what.</param>
    /// <param name="rows">Rows of the largest pass.</param>
    /// <param name="longest">Positions of a sequence at most.</param>
    public DeviceDecoder(CudaSession session, DeviceWeights weights, DeviceArena arena, EngineOptions options, int rows, int longest)
    {
        var config = weights.Config;
        _weights = weights;
        _buffers = new DeviceBuffers(config, rows, options, session.Device);
        _elements = new DeviceElements(session, options.Cuda, config);
        _rotary = new DeviceRotary(session, options.Cuda, config, arena);
        _attention = new DeviceAttention(session, options.Cuda, config, arena, options.MaxSlots, longest);
    }

    /// <summary>Whether rows that decode attend by themselves.</summary>
    public bool DecodesApart => _attention.HasDecoding;

    /// <summary>Whether a pass in which all rows decode apart allocates nothing on the device and waits for nothing, so that it can be recorded.</summary>
    public bool IsRecordable => _elements.UsesKernels && _rotary.UsesKernel && _attention.HasDecoding && !_weights.HasFp8;

    /// <summary>Bytes that passes compute with.</summary>
    public static long WorkBytes(LanguageModelConfig config, EngineOptions options, int longest) =>
        DeviceBuffers.BytesOf(config, options.StepTokens, options)
        + (options.Cuda.TwoStreams ? DeviceBuffers.BytesOf(config, options.MaxSlots, options) + DeviceAttention.ScratchBytes(options.Cuda, config, options.MaxSlots, longest) : 0)
        + DeviceAttention.ScratchBytes(options.Cuda, config, options.MaxSlots, longest)
        // What flash attention gives, and its sums.
        + ((long)options.StepTokens * config.Heads * ((sizeof(ushort) * config.HeadSize) + sizeof(float)));

    /// <summary>Computes keys and values of all rows, and the logits of some.</summary>
    /// <param name="pass">The rows, sent to the device.</param>
    /// <param name="sampled">Rows whose logits are wanted.</param>
    /// <param name="unread">int32: tokens that only the device knows, for rows of the pass that continue with them.</param>
    /// <returns>float32 (sampled, vocabulary), in the caller's scope, until the next pass.</returns>
    public Tensor Run(DevicePass pass, BlockPart sampled, Tensor? unread)
    {
        var buffers = Buffers(pass.Rows, sampled.Count);
        Run(pass, sampled, unread, buffers);
        return buffers.Logits;
    }

    /// <inheritdoc cref="DeviceBuffers.For"/>
    public PassBuffers Buffers(int rows, int sampled) => _buffers.For(rows, sampled);

    /// <summary>The same in buffers that the caller has asked for; the logits are in one of them.</summary>
    public void Run(DevicePass pass, BlockPart sampled, Tensor? unread, PassBuffers buffers)
    {
        Embed(pass, buffers.Residual, unread);
        _rotary.Begin(pass);
        _attention.Begin(pass);
        for (var i = 0; i < _weights.Layers.Count; i++)
        {
            using var scope = NewDisposeScope();
            Run(i, pass, buffers);
        }

        if (sampled.Count > 0)
        {
            _elements.Gather(buffers.Residual, pass.Block, sampled, buffers.Last);
            _elements.Gather(buffers.Delta, pass.Block, sampled, buffers.Final);
            _elements.AddNorm(buffers.Last, buffers.Final, _weights.Norm, buffers.Final);
            _weights.Head.Multiply(new DeviceRows(buffers.Final), buffers.Products);
            _elements.Widen(buffers.Products, buffers.Logits);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _attention.Dispose();
        _rotary.Dispose();
        _buffers.Dispose();
    }

    private void Embed(DevicePass pass, Tensor residual, Tensor? unread)
    {
        _elements.Embed(_weights.Embeddings, pass, unread, residual);
        foreach (var (row, features) in pass.Images)
        {
            residual.narrow(0, row, features.shape[0]).copy_(features);
        }
    }

    private void Run(int index, DevicePass pass, PassBuffers buffers)
    {
        var layer = _weights.Layers[index];
        _elements.AddNorm(buffers.Residual, index == 0 ? null : buffers.Delta, layer.AttentionNorm, buffers.Normed, layer.Merged);
        layer.Merged.Multiply(buffers.Normed, buffers.Merged);
        _rotary.Append(index, pass, buffers.Merged, buffers.Queries);
        _attention.Attend(index, pass, buffers.Queries, buffers.Mixed.Numbers);
        _elements.Round(buffers.Mixed, layer.Output);
        layer.Output.Multiply(buffers.Mixed, buffers.Delta);
        _elements.AddNorm(buffers.Residual, buffers.Delta, layer.MlpNorm, buffers.Normed, layer.Gates);
        layer.Gates.Multiply(buffers.Normed, buffers.Gates);
        _elements.Gate(buffers.Gates, buffers.Gated, layer.Down);
        layer.Down.Multiply(buffers.Gated, buffers.Delta);
    }
}
