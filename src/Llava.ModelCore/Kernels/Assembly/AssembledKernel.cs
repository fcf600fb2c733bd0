using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>The kernel in 512-bit VNNI instructions, which .NET 10 has no intrinsics for: assembled when the first engine starts.</summary>
internal sealed unsafe class AssembledKernel : IntegerKernel
{
    private const int Alignment = 64;

    // Held so that the code stays mapped as long as the kernel is used.
    private readonly ExecutableCode _code;
    private readonly nint[] _functions;

    private AssembledKernel(ExecutableCode code, int[] offsets)
    {
        _code = code;
        _functions = [.. offsets.Select(offset => (nint)(code.Start + offset))];
    }

    /// <inheritdoc/>
    public override KernelKind Kind => KernelKind.Assembled;

    /// <inheritdoc/>
    public override int MostTokens => TileAssembly.MostTokens;

    /// <summary>Whether the processor and the system's handling of its registers allow 512-bit VNNI.</summary>
    public static bool IsSupported => Avx512BW.IsSupported && X86Base.CpuId(7, 0).Ecx is var features && (features & (1 << 11)) != 0 && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Assembles the kernel; null when the processor lacks the instructions or the system forbids new code.</summary>
    public static AssembledKernel? TryCreate()
    {
        if (!IsSupported)
        {
            return null;
        }

        var convention = OperatingSystem.IsWindows() ? CallingConvention.Windows : CallingConvention.SystemV;
        List<byte> code = [];
        List<int> offsets = [];
        foreach (var format in (WeightFormat[])[WeightFormat.Int8, WeightFormat.Int4])
        {
            foreach (var adds in (bool[])[false, true])
            {
                for (var tokens = 1; tokens <= TileAssembly.MostTokens; tokens++)
                {
                    offsets.Add(code.Count);
                    code.AddRange(TileAssembly.Of(format, tokens, adds, convention));
                    code.AddRange(Enumerable.Repeat((byte)0xCC, -code.Count & (Alignment - 1)));
                }
            }
        }

        return ExecutableCode.TryMap(CollectionsMarshal.AsSpan(code)) is { } mapped ? new AssembledKernel(mapped, [.. offsets]) : null;
    }

    /// <inheritdoc/>
    public override void Multiply(in Tile tile, WeightFormat format, int tokens, bool adds)
    {
        var index = ((((format == WeightFormat.Int8 ? 0 : 1) * 2) + (adds ? 1 : 0)) * TileAssembly.MostTokens) + tokens - 1;
        // Microseconds long and without any call: the garbage collector need not be told.
        var function = (delegate* unmanaged[SuppressGCTransition]<Tile*, void>)_functions[index];
        function((Tile*)Unsafe.AsPointer(ref Unsafe.AsRef(in tile)));
        GC.KeepAlive(_code);
    }
}
