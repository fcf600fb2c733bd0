using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>Writes the code of one kernel: a panel of 32 rows times a fixed number of tokens, as a function of a <see cref="Tile"/>.</summary>
internal sealed class TileAssembly : KernelAssembly
{
    /// <summary>Tokens that fit: two sums and two totals each, and what the weights need, in 32 vector registers.</summary>
    public const int MostTokens = 6;

    private const Register Weights = Register.Rcx;
    private const Register Records = Register.Rdx;
    private const Register GroupStride = Register.R8;
    private const Register Groups = Register.R9;
    private const Register Output = Register.R10;
    private const Register OutputStride = Register.R11;

    // Vector registers: sums of the running group at 0–11, totals at 12–23, then these.
    private const int FirstTotal = 2 * MostTokens;
    private const int Lower = 24;
    private const int Upper = 25;
    private const int Columns = 26;
    private const int LowerPairs = 27;
    private const int UpperPairs = 28;
    private const int Mask = 29;

    private const int StepsOfNibbles = Panel.Group / Panel.Step;

    // Ahead of the loads: the processor's own prefetcher stops at the end of a page.
    private const int PrefetchBytes = 4096;

    private readonly WeightFormat _format;

    private TileAssembly(WeightFormat format, int tokens)
        : base(tokens) => _format = format;

    /// <summary>The code.</summary>
    /// <param name="format">Int8, Int4 or Int16.</param>
    /// <param name="tokens">1 to <see cref="MostTokens"/>.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    /// <param name="convention">How it is called.</param>
    public static byte[] Of(WeightFormat format, int tokens, bool adds, CallingConvention convention)
    {
        TileAssembly assembly = new(format, tokens);
        assembly.Begin(convention);
        assembly.TakeArguments();
        assembly.Loop();
        assembly.StoreTotals(Output, OutputStride, Total, adds);
        assembly.End(convention);
        return assembly.To.Code;
    }

    private static int Sum(int token, int half) => (2 * token) + half;

    private static int Total(int token, int half) => FirstTotal + (2 * token) + half;

    private static Operand Field(string name) => new(Arguments, (int)Marshal.OffsetOf<Tile>(name));

    private Operand Token(int token, int offset, bool repeats = false) => new(Records, (token * QuantizedRows.RecordBytes(_format)) + offset, repeats);

    private void TakeArguments()
    {
        To.Move(Weights, Field(nameof(Tile.Weights)));
        To.Move(Records, Field(nameof(Tile.Tokens)));
        To.Move(GroupStride, Field(nameof(Tile.GroupStride)));
        To.Move(Groups, Field(nameof(Tile.Groups)));
        To.Move(Output, Field(nameof(Tile.Output)));
        To.Move(OutputStride, Field(nameof(Tile.OutputStride)));
        To.Broadcast(Mask, Field(nameof(Tile.Mask)));
        EachToken((token, half) => To.Clear(Total(token, half)));
    }

    private void Loop()
    {
        var top = To.Position;
        for (var line = 0; line < Panel.RecordBytes(_format); line += VectorBytes)
        {
            To.Prefetch(new Operand(Weights, PrefetchBytes + line));
        }

        EachToken((token, half) => To.Broadcast(Sum(token, half), Token(token, QuantizedRows.StartOffset)));
        if (_format == WeightFormat.Int4)
        {
            SumNibbles();
        }
        else
        {
            SumWhole();
        }

        AddToTotals();
        To.Add(Weights, Panel.RecordBytes(_format));
        To.Add(Records, GroupStride);
        To.CountDown(Groups, top);
    }

    private void SumWhole()
    {
        for (var step = 0; step < Panel.Group / Panel.StepColumns(_format); step++)
        {
            To.Load(Lower, new Operand(Weights, step * VectorBytes));
            To.Load(Upper, new Operand(Weights, Panel.BlockBytes(_format) + (step * VectorBytes)));
            SumStep(step);
        }
    }

    private void SumNibbles()
    {
        for (var step = 0; step < StepsOfNibbles / 2; step++)
        {
            To.Load(LowerPairs, new Operand(Weights, step * VectorBytes));
            To.Load(UpperPairs, new Operand(Weights, Panel.BlockBytes(_format) + (step * VectorBytes)));
            To.And(Lower, LowerPairs, Mask);
            To.And(Upper, UpperPairs, Mask);
            SumStep(step);
            To.ShiftRight(LowerPairs, LowerPairs, 4);
            To.ShiftRight(UpperPairs, UpperPairs, 4);
            To.And(Lower, LowerPairs, Mask);
            To.And(Upper, UpperPairs, Mask);
            SumStep(step + (StepsOfNibbles / 2));
        }
    }

    private void SumStep(int step)
    {
        for (var token = 0; token < Tokens; token++)
        {
            To.Broadcast(Columns, Token(token, QuantizedRows.LevelsOffset + (step * Panel.Step)));
            if (_format == WeightFormat.Int16)
            {
                To.DotProductOfWords(Sum(token, 0), Lower, Columns);
                To.DotProductOfWords(Sum(token, 1), Upper, Columns);
            }
            else
            {
                To.DotProduct(Sum(token, 0), Lower, Columns);
                To.DotProduct(Sum(token, 1), Upper, Columns);
            }
        }
    }

    private void AddToTotals()
    {
        foreach (var (half, scale) in ((int, int)[])[(0, Lower), (1, Upper)])
        {
            To.LoadWords(scale, new Operand(Weights, (2 * Panel.BlockBytes(_format)) + (half * Panel.Lanes * sizeof(ushort))));
            To.ShiftLeft(scale, scale, 16);
        }

        EachToken((token, half) =>
        {
            To.Multiply(Columns, half == 0 ? Lower : Upper, Token(token, QuantizedRows.ScaleOffset, repeats: true));
            To.ToSingle(Sum(token, half), Sum(token, half));
            To.MultiplyAdd(Total(token, half), Sum(token, half), Columns);
        });
    }
}
