using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>y = x·Wᵀ, or y + x·Wᵀ, over all tokens of a pass; a part is a run of panels.</summary>
/// <param name="kernel">Multiplies integer panels.</param>
internal sealed unsafe class MatrixProduct(IntegerKernel kernel) : IParallelWork
{
    // What stays in a core's own cache while panel after panel passes by.
    private const int BytesAtOnce = 1 << 20;

    private const int MostTokensAtOnce = 192;

    // Few enough parts that claiming them costs nothing, enough that threads which were set aside are made up for.
    private const int PartsPerThread = 8;

    private readonly FloatKernel _floatKernel = FloatKernel.Beside(kernel.Kind);
    private PackedMatrix? _weights;
    private QuantizedRows? _integers;
    private Rows _floats;
    private Rows _output;
    private int _tokens;
    private int _parts;
    private bool _adds;

    /// <summary>Multiplies.</summary>
    /// <param name="pool">Who computes.</param>
    /// <param name="weights">(rows, columns).</param>
    /// <param name="integers">The tokens, where the weights are integers.</param>
    /// <param name="floats">The tokens, where they are not.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="output">(tokens, rows), each row with room for whole panels.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    public void Run(WorkerPool pool, PackedMatrix weights, QuantizedRows integers, Rows floats, int tokens, Rows output, bool adds)
    {
        (_weights, _integers, _floats, _tokens, _output, _adds) = (weights, integers, floats, tokens, output, adds);
        _parts = Math.Min(weights.PanelCount, pool.Count == 1 ? 1 : pool.Count * PartsPerThread);
        pool.Run(this, _parts);
    }

    /// <inheritdoc/>
    public void Run(int part, int worker)
    {
        var (first, end) = Share(_weights!.PanelCount, part, _parts);
        var bytes = Panel.IsInteger(_weights.Format) ? Panel.Groups(_weights.Columns) * QuantizedRows.RecordBytes(_weights.Format) : _weights.Columns * sizeof(float);
        var most = Math.Clamp(BytesAtOnce / bytes, MostTokensAtOnce / 4, MostTokensAtOnce);
        for (var token = 0; token < _tokens; token += most)
        {
            for (var panel = first; panel < end; panel++)
            {
                Multiply(panel, token, Math.Min(most, _tokens - token));
            }
        }
    }

    private static (int First, int End) Share(int count, int part, int parts) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    /// <summary>One panel times some tokens, in tiles of nearly equal size.</summary>
    private void Multiply(int panel, int token, int count)
    {
        var format = _weights!.Format;
        var isInteger = Panel.IsInteger(format);
        var most = isInteger ? kernel.MostTokens : _floatKernel.MostTokens;
        var tiles = (count + most - 1) / most;
        for (var i = 0; i < tiles; i++)
        {
            // The vector kernels have one fast size, the assembled ones have all.
            var (first, end) = kernel.Kind == KernelKind.Assembled ? Share(count, i, tiles) : (i * most, Math.Min(count, (i + 1) * most));
            if (isInteger)
            {
                kernel.Multiply(TileAt(panel, token + first), format, end - first, _adds);
            }
            else
            {
                _floatKernel.Multiply(FloatTileAt(panel, token + first), format, end - first, _adds);
            }
        }
    }

    private FloatTile FloatTileAt(int panel, int token) => new()
    {
        Weights = _weights!.PanelAt(panel),
        Tokens = _floats.At(token),
        TokenStride = _floats.Stride * (long)sizeof(float),
        Columns = _weights.Columns,
        Output = OutputAt(panel, token),
        OutputStride = _output.Stride * (long)sizeof(float),
    };

    private Tile TileAt(int panel, int token) => new()
    {
        Weights = _weights!.PanelAt(panel),
        Tokens = _integers!.RecordAt(token, _weights.Format),
        GroupStride = (long)_tokens * QuantizedRows.RecordBytes(_weights.Format),
        Groups = Panel.Groups(_weights.Columns),
        Output = OutputAt(panel, token),
        OutputStride = _output.Stride * (long)sizeof(float),
        Mask = Tile.LowNibbles,
    };

    private float* OutputAt(int panel, int token) => _output.At(token) + (panel * Panel.Rows);
}
