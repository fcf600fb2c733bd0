using System.Runtime.Intrinsics.X86;
using Llava.ModelCore.Kernels.Assembly;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>The integer kernels of this machine.</summary>
public static class IntegerKernels
{
    private static readonly Lazy<AssembledKernel?> Assembled = new(AssembledKernel.TryCreate);

    /// <summary>Those that can run here, from the fastest.</summary>
    public static IReadOnlyList<KernelKind> Available => [.. Enum.GetValues<KernelKind>().Where(kind => kind != KernelKind.Auto && Find(kind) is not null)];

    /// <summary>The kernel that was asked for.</summary>
    /// <exception cref="KernelUnavailableException">This machine cannot run it.</exception>
    internal static IntegerKernel Get(KernelKind kind) => (kind == KernelKind.Auto ? Find(Available[0]) : Find(kind)) ?? throw new KernelUnavailableException(
        $"The kernel '{kind}' cannot run on this machine: {(kind == KernelKind.Assembled && AssembledKernel.IsSupported ? "the system does not let a program make code" : "the processor lacks its instructions")}. Use {string.Join(", ", Available)}, or {KernelKind.Auto} for the first of them.");

    private static IntegerKernel? Find(KernelKind kind) => kind switch
    {
        KernelKind.Assembled => Assembled.Value,
        KernelKind.AvxVnni => AvxVnni.IsSupported ? new VectorKernel<AvxVnniDotProduct>() : null,
        KernelKind.Avx2 => Avx2.IsSupported ? new VectorKernel<Avx2DotProduct>() : null,
        KernelKind.Portable => new VectorKernel<PortableDotProduct>(),
        _ => null,
    };
}

/// <summary>A kernel was asked for that this machine cannot run; the message names those it can.</summary>
public sealed class KernelUnavailableException(string message) : LlavaException(message, isRetryable: false);
