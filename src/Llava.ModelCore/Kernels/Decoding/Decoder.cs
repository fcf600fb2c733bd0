using Llava.ModelCore.Kernels.Attention;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>
/// The forward pass of a decoder of the LLaMA family (spec 1.4.1) or MPT (spec 1.4.2) on packed weights: h ← h + Attn(Norm(h)); h ← h + MLP(Norm(h)).
/// A row's numbers depend on its own sequence alone, to the bit. Nothing is allocated after the first pass. One thread at a time.
/// </summary>
internal sealed unsafe class Decoder : IDisposable
{
    private readonly DecoderWeights _weights;
    private readonly KeyValueStore _store;
    private readonly WorkerPool _pool;
    private readonly MatrixProduct _product;
    private readonly DecoderBuffers _buffers;
    private readonly AttentionPhase _attention;
    private readonly RotaryPhase _rotary;
    private readonly EachRow _normalize;
    private readonly EachRow _mix;
    private readonly EachRow _activate;
    private readonly EachRow _scale;
    private NativeBuffer<float> _norm;
    private WeightFormat _format;
    private int _rows;
    private Rows _logits;

    /// <param name="weights">The weights; not disposed with this.</param>
    /// <param name="store">Keys and values; not disposed with this.</param>
    /// <param name="kernel">Multiplies integer panels.</param>
    /// <param name="pool">Who computes; not disposed with this.</param>
    /// <param name="maxRows">Rows of the largest pass.</param>
    /// <param name="maxPositions">Positions of the longest sequence.</param>
    public Decoder(DecoderWeights weights, KeyValueStore store, IntegerKernel kernel, WorkerPool pool, int maxRows, int maxPositions)
    {
        (_weights, _store, _pool) = (weights, store, pool);
        _product = new MatrixProduct(kernel);
        _buffers = new DecoderBuffers(weights.Config, weights.Scheme, maxRows);
        _attention = new AttentionPhase(weights.Config, store, pool.Count, maxPositions);
        _rotary = new RotaryPhase(weights.Config, store, _buffers, maxRows);
        _normalize = new EachRow(Normalize);
        _mix = new EachRow(TakeMixed);
        _activate = new EachRow(Activate);
        _scale = new EachRow(Scale);
        _norm = weights.Norm;
    }

    /// <summary>Puts a token into a row of the next pass.</summary>
    public void Embed(int row, int token) => _weights.Embeddings.Read(token, _buffers.Hidden.At(row));

    /// <summary>Puts an embedding (hidden) into a row of the next pass.</summary>
    public void Embed(int row, ReadOnlySpan<float> embedding) => embedding.CopyTo(new Span<float>(_buffers.Hidden.At(row), _weights.Config.HiddenSize));

    /// <summary>Runs all layers on a pass whose embeddings are in place.</summary>
    public void Run(DecoderBatch batch)
    {
        _rotary.Begin(_pool, batch);
        _attention.Begin(batch);
        for (var layer = 0; layer < _weights.Layers.Count; layer++)
        {
            _rows = batch.Rows;
            RunAttention(layer, _weights.Layers[layer]);
            RunMlp(_weights.Layers[layer]);
        }
    }

    /// <summary>Logits of some rows of the last pass.</summary>
    /// <param name="rows">Rows, ascending; they are moved to the front, so this is the end of the pass.</param>
    /// <param name="logits">(rows, vocabulary), each row with room for whole panels.</param>
    public void Logits(ReadOnlySpan<int> rows, Rows logits)
    {
        if (rows.Length == 0)
        {
            return;
        }

        for (var i = 0; i < rows.Length; i++)
        {
            Embed(i, new ReadOnlySpan<float>(_buffers.Hidden.At(rows[i]), _weights.Config.HiddenSize));
        }

        _rows = rows.Length;
        Normalize(_weights.Norm, _weights.Head.Format);
        Multiply(_weights.Head, _buffers.Normalized, logits, adds: false);
        if (_weights.Config.Mpt?.LogitScale is not null)
        {
            _logits = logits;
            _scale.Run(_pool, _rows);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _buffers.Dispose();
        _attention.Dispose();
        _rotary.Dispose();
    }

    private void RunAttention(int layer, LayerWeights weights)
    {
        Normalize(weights.AttentionNorm, weights.QueryKeyValue.Format);
        Multiply(weights.QueryKeyValue, _buffers.Normalized, _buffers.QueryKeyValue, adds: false);
        _rotary.Run(_pool, layer);
        _attention.Run(_pool, layer, _buffers.QueryKeyValue, _buffers.Mixed);
        _format = weights.Output.Format;
        if (Panel.IsInteger(_format))
        {
            _mix.Run(_pool, _rows);
        }

        Multiply(weights.Output, _buffers.Mixed, _buffers.Hidden, adds: true);
    }

    private void RunMlp(LayerWeights weights)
    {
        Normalize(weights.MlpNorm, weights.GateUp.Format);
        Multiply(weights.GateUp, _buffers.Normalized, _buffers.GateUp, adds: false);
        _format = weights.Down.Format;
        _activate.Run(_pool, _rows);
        Multiply(weights.Down, _buffers.GateUp, _buffers.Hidden, adds: true);
    }

    private void Multiply(PackedMatrix weights, Rows input, Rows output, bool adds) => _product.Run(_pool, weights, _buffers.Integers, input, _rows, output, adds);

    private void Normalize(NativeBuffer<float> norm, WeightFormat format)
    {
        (_norm, _format) = (norm, format);
        _normalize.Run(_pool, _rows);
    }

    private void Normalize(int row)
    {
        var (epsilon, size) = ((float)_weights.Config.NormEpsilon, _weights.Config.HiddenSize);
        if (_weights.Config.Mpt is null)
        {
            Normalization.Rms(_buffers.Hidden.At(row), _norm.Start, epsilon, size, _buffers.Normalized.At(row));
        }
        else
        {
            Normalization.Layer(_buffers.Hidden.At(row), _norm.Start, epsilon, size, _buffers.Normalized.At(row));
        }

        Round(row, _buffers.Normalized, size);
    }

    private void TakeMixed(int row) => Round(row, _buffers.Mixed, _weights.Config.Heads * _weights.Config.HeadSize);

    private void Activate(int row)
    {
        var gate = _buffers.GateUp.At(row);
        var size = _weights.Config.IntermediateSize;
        if (_weights.Config.Mpt is null)
        {
            GatedActivation.SwiGlu(gate, gate + size, size);
        }
        else
        {
            Gelu.Run(gate, size);
        }

        Round(row, _buffers.GateUp, size);
    }

    private void Scale(int row)
    {
        var scale = (float)_weights.Config.Mpt!.LogitScale!.Value;
        foreach (ref var logit in new Span<float>(_logits.At(row), _weights.Config.VocabularySize))
        {
            logit *= scale;
        }
    }

    private void Round(int row, Rows values, int columns)
    {
        if (Panel.IsInteger(_format))
        {
            _buffers.Integers.Set(row, _rows, values.At(row), columns, _format);
        }
    }
}
