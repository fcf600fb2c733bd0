using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Linear;

/// <summary>
/// Linear layers of a torch model on our own kernels. A row's numbers depend on nothing but itself, to the bit, as everywhere on our kernels. One
/// thread at a time.
/// </summary>
internal sealed unsafe class LinearProducts : IDisposable
{
    private readonly WorkerPool _pool;
    private readonly MatrixProduct _product;
    private readonly QuantizedRows _integers;
    private readonly EachRow _prepare;
    private readonly int _rowsAtOnce;
    private PackedLinear? _layer;
    private Rows _input;
    private Rows _output;
    private int _rows;

    /// <param name="pool">Who computes; not disposed with this.</param>
    /// <param name="kernel">Multiplies integer panels.</param>
    /// <param name="rowsAtOnce">Rows of the largest pass; an input with more takes several.</param>
    /// <param name="maxColumns">Columns of the widest input.</param>
    /// <param name="widest">The format of all layers, or the widest of them.</param>
    public LinearProducts(WorkerPool pool, IntegerKernel kernel, int rowsAtOnce, int maxColumns, WeightFormat widest)
    {
        (_pool, _product, _rowsAtOnce) = (pool, new MatrixProduct(kernel), rowsAtOnce);
        _integers = new QuantizedRows(rowsAtOnce, maxColumns, widest);
        _prepare = new EachRow(Prepare);
    }

    /// <summary>x·Wᵀ + b.</summary>
    /// <param name="input">float32 (…, inputs) on the CPU.</param>
    /// <param name="layer">W and b.</param>
    /// <returns>(…, outputs), in the caller's scope.</returns>
    public Tensor Multiply(Tensor input, PackedLinear layer)
    {
        var x = input.contiguous();
        // A line more: rows a whole page apart would all fall on the same few places of a cache.
        var (rows, stride) = ((int)(x.numel() / layer.Weight.Columns), Panel.Padded(layer.Weight.Rows) + Panel.Lanes);
        var output = empty(rows, stride, ScalarType.Float32);
        _layer = layer;
        for (var first = 0; first < rows; first += _rowsAtOnce)
        {
            _rows = Math.Min(_rowsAtOnce, rows - first);
            _input = new Rows(TensorMemory.Of(x) + ((long)first * layer.Weight.Columns), layer.Weight.Columns);
            _output = new Rows(TensorMemory.Of(output) + ((long)first * stride), stride);
            _prepare.Run(_pool, _rows);
            _product.Run(_pool, layer.Weight, _integers, _input, _rows, _output, adds: true);
        }

        return output.narrow(1, 0, layer.Weight.Rows).view([.. input.shape[..^1], layer.Weight.Rows]);
    }

    /// <inheritdoc/>
    public void Dispose() => _integers.Dispose();

    /// <summary>Puts the bias where the product is added, and rounds the input.</summary>
    private void Prepare(int row)
    {
        var layer = _layer!;
        new ReadOnlySpan<float>(layer.Bias.Start, (int)layer.Bias.Length).CopyTo(new Span<float>(_output.At(row), (int)layer.Bias.Length));
        if (Panel.IsInteger(layer.Weight.Format))
        {
            _integers.Set(row, _rows, _input.At(row), layer.Weight.Columns, layer.Weight.Format);
        }
    }
}
