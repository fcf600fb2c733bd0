using System.Runtime.InteropServices;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>The functions of a kernel, one for each format, number of tokens, and way to store.</summary>
internal sealed unsafe class AssembledFunctions
{
    private const int Alignment = 64;

    private readonly ExecutableCode _code;
    private readonly int[] _offsets;
    private readonly int _mostTokens;

    private AssembledFunctions(ExecutableCode code, int[] offsets, int mostTokens) => (_code, _offsets, _mostTokens) = (code, offsets, mostTokens);

    /// <summary>Writes the code of one function.</summary>
    /// <param name="format">Which format, from 0.</param>
    /// <param name="tokens">Tokens of its tile.</param>
    /// <param name="adds">Whether it adds to what the output holds.</param>
    /// <param name="convention">How it is called.</param>
    public delegate byte[] Assembles(int format, int tokens, bool adds, CallingConvention convention);

    /// <summary>Assembles all functions; null when the processor lacks the instructions or the system forbids new code.</summary>
    public static AssembledFunctions? TryCreate(int formats, int mostTokens, Assembles assembles)
    {
        if (!AssembledKernel.IsSupported)
        {
            return null;
        }

        var convention = OperatingSystem.IsWindows() ? CallingConvention.Windows : CallingConvention.SystemV;
        List<byte> code = [];
        List<int> offsets = [];
        for (var format = 0; format < formats; format++)
        {
            foreach (var adds in (bool[])[false, true])
            {
                for (var tokens = 1; tokens <= mostTokens; tokens++)
                {
                    offsets.Add(code.Count);
                    code.AddRange(assembles(format, tokens, adds, convention));
                    code.AddRange(Enumerable.Repeat((byte)0xCC, -code.Count & (Alignment - 1)));
                }
            }
        }

        return ExecutableCode.TryMap(CollectionsMarshal.AsSpan(code)) is { } mapped ? new(mapped, [.. offsets], mostTokens) : null;
    }

    /// <summary>Where a function begins; valid as long as this is reachable.</summary>
    public byte* At(int format, int tokens, bool adds) => _code.Start + _offsets[(((format * 2) + (adds ? 1 : 0)) * _mostTokens) + tokens - 1];
}
