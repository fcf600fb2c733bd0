using System.Runtime.CompilerServices;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>The float kernel with totals of twelve tokens in registers, which a compiler does not manage; assembled when the first engine starts.</summary>
internal sealed unsafe class AssembledFloatKernel : FloatKernel
{
    private static readonly WeightFormat[] Formats = [WeightFormat.Float32, WeightFormat.BFloat16, WeightFormat.Float16];

    // Held so that the code stays mapped as long as the kernel is used.
    private readonly AssembledFunctions _functions;

    private AssembledFloatKernel(AssembledFunctions functions) => _functions = functions;

    /// <inheritdoc/>
    public override int MostTokens => FloatTileAssembly.MostTokens;

    /// <summary>Assembles the kernel; null when the processor lacks the instructions or the system forbids new code.</summary>
    public static AssembledFloatKernel? TryCreate() =>
        AssembledFunctions.TryCreate(Formats.Length, FloatTileAssembly.MostTokens, (format, tokens, adds, convention) => FloatTileAssembly.Of(Formats[format], tokens, adds, convention)) is { } functions
            ? new(functions)
            : null;

    /// <inheritdoc/>
    public override void Multiply(in FloatTile tile, WeightFormat format, int tokens, bool adds)
    {
        // Microseconds long and without any call: the garbage collector need not be told.
        var function = (delegate* unmanaged[SuppressGCTransition]<FloatTile*, void>)_functions.At((int)format, tokens, adds);
        function((FloatTile*)Unsafe.AsPointer(ref Unsafe.AsRef(in tile)));
        GC.KeepAlive(_functions);
    }
}
