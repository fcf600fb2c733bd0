using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>What the code of all kernels has in common: how it begins and ends, and two vectors of totals for each token of a tile.</summary>
/// <param name="tokens">Tokens of the tile.</param>
internal abstract class KernelAssembly(int tokens)
{
    /// <summary>Bytes of a vector.</summary>
    protected const int VectorBytes = 64;

    /// <summary>Holds the address of the arguments.</summary>
    protected const Register Arguments = Register.Rax;

    private const int SystemVFirstArgument = 7; // rdi
    private const int WindowsFirstArgument = 1; // rcx

    // Callee-saved in Windows' convention.
    private const int FirstSaved = 6;
    private const int LastSaved = 15;
    private const int SavedBytes = 16;

    /// <summary>What has been written.</summary>
    protected EvexAssembler To { get; } = new();

    /// <summary>Tokens of the tile.</summary>
    protected int Tokens => tokens;

    /// <summary>Takes the arguments and keeps what the caller wants back.</summary>
    protected void Begin(CallingConvention convention)
    {
        To.Move(Arguments, convention == CallingConvention.Windows ? WindowsFirstArgument : SystemVFirstArgument);
        if (convention == CallingConvention.Windows)
        {
            To.MoveStack(-SavedBytes * (LastSaved - FirstSaved + 1));
            EachSaved(To.Save);
        }
    }

    /// <summary>Stores two vectors for each token.</summary>
    /// <param name="output">Register with the first token's output.</param>
    /// <param name="stride">Register with the bytes between two tokens of it.</param>
    /// <param name="total">Vector register of a token's half.</param>
    /// <param name="adds">Whether they are added to what the output holds.</param>
    protected void StoreTotals(Register output, Register stride, Func<int, int, int> total, bool adds) => EachToken((token, half) =>
    {
        Operand place = new(output, half * VectorBytes);
        if (adds)
        {
            To.Add(total(token, half), total(token, half), place);
        }

        To.Store(place, total(token, half));
        if (half == 1)
        {
            To.Add(output, stride);
        }
    });

    /// <summary>Gives back what the caller wants, and returns to it.</summary>
    protected void End(CallingConvention convention)
    {
        if (convention == CallingConvention.Windows)
        {
            EachSaved(To.Restore);
            To.MoveStack(SavedBytes * (LastSaved - FirstSaved + 1));
        }

        To.Return();
    }

    /// <summary>Both halves of a panel, for each token.</summary>
    protected void EachToken(Action<int, int> write)
    {
        for (var token = 0; token < tokens; token++)
        {
            for (var half = 0; half < Panel.Rows / Panel.Lanes; half++)
            {
                write(token, half);
            }
        }
    }

    private static void EachSaved(Action<int, int> write)
    {
        for (var vector = FirstSaved; vector <= LastSaved; vector++)
        {
            write(vector, (vector - FirstSaved) * SavedBytes);
        }
    }
}
