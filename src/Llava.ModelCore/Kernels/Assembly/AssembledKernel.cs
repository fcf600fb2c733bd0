using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>The kernel in 512-bit VNNI instructions, which .NET 10 has no intrinsics for: assembled when the first engine starts.</summary>
internal sealed unsafe class AssembledKernel : IntegerKernel
{
    private static readonly WeightFormat[] Formats = [WeightFormat.Int8, WeightFormat.Int4, WeightFormat.Int16];

    // Held so that the code stays mapped as long as the kernel is used.
    private readonly AssembledFunctions _functions;

    private AssembledKernel(AssembledFunctions functions) => _functions = functions;

    /// <inheritdoc/>
    public override KernelKind Kind => KernelKind.Assembled;

    /// <inheritdoc/>
    public override int MostTokens => TileAssembly.MostTokens;

    /// <summary>Whether the processor and the system's handling of its registers allow 512-bit VNNI.</summary>
    public static bool IsSupported => Avx512BW.IsSupported && X86Base.CpuId(7, 0).Ecx is var features && (features & (1 << 11)) != 0 && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Assembles the kernel; null when the processor lacks the instructions or the system forbids new code.</summary>
    public static AssembledKernel? TryCreate() =>
        AssembledFunctions.TryCreate(Formats.Length, TileAssembly.MostTokens, (format, tokens, adds, convention) => TileAssembly.Of(Formats[format], tokens, adds, convention)) is { } functions
            ? new(functions)
            : null;

    /// <inheritdoc/>
    public override void Multiply(in Tile tile, WeightFormat format, int tokens, bool adds)
    {
        // Microseconds long and without any call: the garbage collector need not be told.
        var function = (delegate* unmanaged[SuppressGCTransition]<Tile*, void>)_functions.At(format - Formats[0], tokens, adds);
        function((Tile*)Unsafe.AsPointer(ref Unsafe.AsRef(in tile)));
        GC.KeepAlive(_functions);
    }
}
