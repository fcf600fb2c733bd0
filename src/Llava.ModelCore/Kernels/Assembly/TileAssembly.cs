using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>Writes the code of one kernel: a panel of 32 rows times a fixed number of tokens, as a function of a <see cref="Tile"/>.</summary>
internal sealed class TileAssembly
{
    /// <summary>Tokens that fit: two sums and two totals each, and what the weights need, in 32 vector registers.</summary>
    public const int MostTokens = 6;

    private const Register Arguments = Register.Rax;
    private const Register Weights = Register.Rcx;
    private const Register Tokens = Register.Rdx;
    private const Register GroupStride = Register.R8;
    private const Register Groups = Register.R9;
    private const Register Output = Register.R10;
    private const Register OutputStride = Register.R11;
    private const int SystemVFirstArgument = 7; // rdi
    private const int WindowsFirstArgument = 1; // rcx

    // Vector registers: sums of the running group at 0–11, totals at 12–23, then these.
    private const int FirstTotal = 2 * MostTokens;
    private const int Lower = 24;
    private const int Upper = 25;
    private const int Columns = 26;
    private const int LowerPairs = 27;
    private const int UpperPairs = 28;
    private const int Mask = 29;

    private const int VectorBytes = 64;
    private const int StepsOfGroup = Panel.Group / Panel.Step;

    // Ahead of the loads: the processor's own prefetcher stops at the end of a page.
    private const int PrefetchBytes = 4096;

    // Callee-saved in Windows' convention.
    private const int FirstSaved = 6;
    private const int LastSaved = 15;
    private const int SavedBytes = 16;

    private readonly EvexAssembler _to = new();
    private readonly WeightFormat _format;
    private readonly int _tokens;

    private TileAssembly(WeightFormat format, int tokens) => (_format, _tokens) = (format, tokens);

    /// <summary>The code.</summary>
    /// <param name="format">Int8 or Int4.</param>
    /// <param name="tokens">1 to <see cref="MostTokens"/>.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    /// <param name="convention">How it is called.</param>
    public static byte[] Of(WeightFormat format, int tokens, bool adds, CallingConvention convention)
    {
        TileAssembly assembly = new(format, tokens);
        assembly.Begin(convention);
        assembly.Loop();
        assembly.StoreTotals(adds);
        assembly.End(convention);
        return assembly._to.Code;
    }

    private static int Sum(int token, int half) => (2 * token) + half;

    private static int Total(int token, int half) => FirstTotal + (2 * token) + half;

    private static Operand Field(string name) => new(Arguments, (int)Marshal.OffsetOf<Tile>(name));

    private static Operand Token(int token, int offset, bool repeats = false) => new(Tokens, (token * QuantizedRows.RecordBytes) + offset, repeats);

    private void Begin(CallingConvention convention)
    {
        _to.Move(Arguments, convention == CallingConvention.Windows ? WindowsFirstArgument : SystemVFirstArgument);
        if (convention == CallingConvention.Windows)
        {
            _to.MoveStack(-SavedBytes * (LastSaved - FirstSaved + 1));
            EachSaved(_to.Save);
        }

        _to.Move(Weights, Field(nameof(Tile.Weights)));
        _to.Move(Tokens, Field(nameof(Tile.Tokens)));
        _to.Move(GroupStride, Field(nameof(Tile.GroupStride)));
        _to.Move(Groups, Field(nameof(Tile.Groups)));
        _to.Move(Output, Field(nameof(Tile.Output)));
        _to.Move(OutputStride, Field(nameof(Tile.OutputStride)));
        _to.Broadcast(Mask, Field(nameof(Tile.Mask)));
        EachToken((token, half) => _to.Clear(Total(token, half)));
    }

    private void Loop()
    {
        var top = _to.Position;
        for (var line = 0; line < Panel.RecordBytes(_format); line += VectorBytes)
        {
            _to.Prefetch(new Operand(Weights, PrefetchBytes + line));
        }

        EachToken((token, half) => _to.Broadcast(Sum(token, half), Token(token, QuantizedRows.StartOffset)));
        if (_format == WeightFormat.Int8)
        {
            SumBytes();
        }
        else
        {
            SumNibbles();
        }

        AddToTotals();
        _to.Add(Weights, Panel.RecordBytes(_format));
        _to.Add(Tokens, GroupStride);
        _to.CountDown(Groups, top);
    }

    private void SumBytes()
    {
        for (var step = 0; step < StepsOfGroup; step++)
        {
            _to.Load(Lower, new Operand(Weights, step * VectorBytes));
            _to.Load(Upper, new Operand(Weights, Panel.BlockBytes(_format) + (step * VectorBytes)));
            SumStep(step);
        }
    }

    private void SumNibbles()
    {
        for (var step = 0; step < StepsOfGroup / 2; step++)
        {
            _to.Load(LowerPairs, new Operand(Weights, step * VectorBytes));
            _to.Load(UpperPairs, new Operand(Weights, Panel.BlockBytes(_format) + (step * VectorBytes)));
            _to.And(Lower, LowerPairs, Mask);
            _to.And(Upper, UpperPairs, Mask);
            SumStep(step);
            _to.ShiftRight(LowerPairs, LowerPairs, 4);
            _to.ShiftRight(UpperPairs, UpperPairs, 4);
            _to.And(Lower, LowerPairs, Mask);
            _to.And(Upper, UpperPairs, Mask);
            SumStep(step + (StepsOfGroup / 2));
        }
    }

    private void SumStep(int step)
    {
        for (var token = 0; token < _tokens; token++)
        {
            _to.Broadcast(Columns, Token(token, step * Panel.Step));
            _to.DotProduct(Sum(token, 0), Lower, Columns);
            _to.DotProduct(Sum(token, 1), Upper, Columns);
        }
    }

    private void AddToTotals()
    {
        foreach (var (half, scale) in ((int, int)[])[(0, Lower), (1, Upper)])
        {
            _to.LoadWords(scale, new Operand(Weights, (2 * Panel.BlockBytes(_format)) + (half * Panel.Lanes * sizeof(ushort))));
            _to.ShiftLeft(scale, scale, 16);
        }

        EachToken((token, half) =>
        {
            _to.Multiply(Columns, half == 0 ? Lower : Upper, Token(token, QuantizedRows.ScaleOffset, repeats: true));
            _to.ToSingle(Sum(token, half), Sum(token, half));
            _to.MultiplyAdd(Total(token, half), Sum(token, half), Columns);
        });
    }

    private void StoreTotals(bool adds) => EachToken((token, half) =>
    {
        Operand output = new(Output, half * VectorBytes);
        if (adds)
        {
            _to.Add(Total(token, half), Total(token, half), output);
        }

        _to.Store(output, Total(token, half));
        if (half == 1)
        {
            _to.Add(Output, OutputStride);
        }
    });

    private void End(CallingConvention convention)
    {
        if (convention == CallingConvention.Windows)
        {
            EachSaved(_to.Restore);
            _to.MoveStack(SavedBytes * (LastSaved - FirstSaved + 1));
        }

        _to.Return();
    }

    private void EachToken(Action<int, int> write)
    {
        for (var token = 0; token < _tokens; token++)
        {
            write(token, 0);
            write(token, 1);
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
