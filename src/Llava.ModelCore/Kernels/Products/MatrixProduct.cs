using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>y = x·Wᵀ, or y + x·Wᵀ, over all tokens of a pass; a part is a run of panels.</summary>
/// <param name="kernel">Multiplies integer panels.</param>
internal sealed unsafe class MatrixProduct(IntegerKernel kernel) : IParallelWork
{
    // So many tokens of a wide layer stay in a core's own cache while panel after panel passes by.
    private const int TokensAtOnce = 192;

    // Few enough parts that claiming them costs nothing, enough that threads which were set aside are made up for.
    private const int PartsPerThread = 8;

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
        for (var token = 0; token < _tokens; token += TokensAtOnce)
        {
            for (var panel = first; panel < end; panel++)
            {
                Multiply(panel, token, Math.Min(TokensAtOnce, _tokens - token));
            }
        }
    }

    private static (int First, int End) Share(int count, int part, int parts) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    /// <summary>One panel times some tokens, in tiles of nearly equal size.</summary>
    private void Multiply(int panel, int token, int count)
    {
        var weights = _weights!;
        var isInteger = Panel.IsInteger(weights.Format);
        var most = isInteger ? kernel.MostTokens : FloatKernel.MostTokens;
        var tiles = (count + most - 1) / most;
        for (var i = 0; i < tiles; i++)
        {
            // The vector kernels have one fast size, the assembled one has all.
            var (first, end) = isInteger && kernel.Kind == KernelKind.Assembled ? Share(count, i, tiles) : (i * most, Math.Min(count, (i + 1) * most));
            if (isInteger)
            {
                kernel.Multiply(TileAt(panel, token + first), weights.Format, end - first, _adds);
            }
            else
            {
                FloatKernel.Multiply(
                    weights.PanelAt(panel), weights.Format, weights.Columns, _floats.At(token + first), _floats.Stride, end - first, OutputAt(panel, token + first), _output.Stride, _adds);
            }
        }
    }

    private Tile TileAt(int panel, int token) => new()
    {
        Weights = _weights!.PanelAt(panel),
        Tokens = _integers!.RecordAt(token),
        GroupStride = (long)_tokens * QuantizedRows.RecordBytes,
        Groups = Panel.Groups(_weights.Columns),
        Output = OutputAt(panel, token),
        OutputStride = _output.Stride * (long)sizeof(float),
        Mask = Tile.LowNibbles,
    };

    private float* OutputAt(int panel, int token) => _output.At(token) + (panel * Panel.Rows);
}
