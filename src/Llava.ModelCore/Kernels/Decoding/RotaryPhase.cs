using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Attention;
using Llava.ModelCore.Kernels.Threads;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>Rotates the queries and keys of a pass, or clips them for a decoder without rotary positions, and stores its keys and values.</summary>
internal sealed unsafe class RotaryPhase : IDisposable
{
    private readonly LanguageModelConfig _config;
    private readonly KeyValueStore _store;
    private readonly DecoderBuffers _buffers;
    private readonly RotaryAngles _angles;
    private readonly NativeBuffer<float> _cosines;
    private readonly NativeBuffer<float> _sines;
    private readonly DecoderSpan[] _spanOf;
    private readonly EachRow _prepare;
    private readonly EachRow _rotate;
    private int _rows;
    private int _layer;

    public RotaryPhase(LanguageModelConfig config, KeyValueStore store, DecoderBuffers buffers, int maxRows)
    {
        (_config, _store, _buffers, _angles) = (config, store, buffers, new RotaryAngles(config));
        _cosines = new NativeBuffer<float>((long)maxRows * _angles.Count);
        _sines = new NativeBuffer<float>((long)maxRows * _angles.Count);
        _spanOf = new DecoderSpan[maxRows];
        _prepare = new EachRow(Prepare);
        _rotate = new EachRow(Rotate);
    }

    /// <summary>Finds the angles of a pass's rows, which all layers share.</summary>
    public void Begin(WorkerPool pool, DecoderBatch batch)
    {
        _rows = batch.Rows;
        foreach (var span in batch.Spans)
        {
            _spanOf.AsSpan(span.FirstRow, span.Count).Fill(span);
        }

        if (_config.Mpt is null)
        {
            _prepare.Run(pool, _rows);
        }
    }

    /// <summary>Rotates and stores for one layer.</summary>
    public void Run(WorkerPool pool, int layer)
    {
        _layer = layer;
        _rotate.Run(pool, _rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cosines.Dispose();
        _sines.Dispose();
    }

    private void Prepare(int row)
    {
        var span = _spanOf[row];
        var offset = (long)row * _angles.Count;
        _angles.At(span.FirstPosition + row - span.FirstRow, span.Longest, _cosines.Start + offset, _sines.Start + offset);
    }

    private void Rotate(int row)
    {
        var (heads, shared, size) = (_config.Heads, _config.KeyValueHeads, _config.HeadSize);
        var numbers = _buffers.QueryKeyValue.At(row);
        var offset = (long)row * _angles.Count;
        if (_config.Mpt?.ClipQkv is { } most)
        {
            Clip(numbers, (heads + (2 * shared)) * size, (float)most);
        }

        for (var head = 0; _config.Mpt is null && head < heads + shared; head++)
        {
            RotaryAngles.Rotate(numbers + (head * size), _cosines.Start + offset, _sines.Start + offset, _angles.Count);
        }

        var span = _spanOf[row];
        var position = span.ExtentStart + span.FirstPosition + row - span.FirstRow;
        for (var head = 0; head < shared; head++)
        {
            _store.Write(_layer, head, position, numbers + ((heads + head) * size), numbers + ((heads + shared + head) * size));
        }
    }

    private static void Clip(float* numbers, int count, float most)
    {
        foreach (ref var number in new Span<float>(numbers, count))
        {
            number = Math.Clamp(number, -most, most);
        }
    }
}
