using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>Writes the code of one float kernel: a panel of 32 rows times a fixed number of tokens, column by column, as a function of a <see cref="FloatTile"/>.</summary>
internal sealed class FloatTileAssembly : KernelAssembly
{
    /// <summary>Tokens that fit: two totals each, and two vectors of weights, in 32 vector registers; and as many as two bases and three distances reach.</summary>
    public const int MostTokens = 12;

    // The columns' count takes the arguments' place for the length of the loop.
    private const Register Columns = Register.Rax;
    private const Register Weights = Register.Rcx;
    private const Register FirstTokens = Register.Rdx;
    private const Register LastTokens = Register.R8;
    private const Register Stride = Register.R9;
    private const Register ThreeStrides = Register.R10;
    private const Register FiveStrides = Register.R11;
    private const Register Output = Register.R10;
    private const Register OutputStride = Register.R11;

    private const int Lower = 24;
    private const int Upper = 25;

    // Ahead of the loads: the processor's own prefetcher stops at the end of a page.
    private const int PrefetchBytes = 4096;

    private readonly WeightFormat _format;
    private readonly int _columnBytes;

    private FloatTileAssembly(WeightFormat format, int tokens)
        : base(tokens) => (_format, _columnBytes) = (format, (int)Panel.Bytes(format, 1));

    /// <summary>The code.</summary>
    /// <param name="format">Float32, BFloat16 or Float16.</param>
    /// <param name="tokens">1 to <see cref="MostTokens"/>.</param>
    /// <param name="adds">Whether the products are added to what the output holds.</param>
    /// <param name="convention">How it is called.</param>
    public static byte[] Of(WeightFormat format, int tokens, bool adds, CallingConvention convention)
    {
        FloatTileAssembly assembly = new(format, tokens);
        assembly.Begin(convention);
        assembly.TakeArguments();
        assembly.Loop();
        assembly.To.Pop(Arguments);
        assembly.To.Move(Output, Field(nameof(FloatTile.Output)));
        assembly.To.Move(OutputStride, Field(nameof(FloatTile.OutputStride)));
        assembly.StoreTotals(Output, OutputStride, Total, adds);
        assembly.End(convention);
        return assembly.To.Code;
    }

    private static int Total(int token, int half) => (2 * token) + half;

    private static Operand Field(string name) => new(Arguments, (int)Marshal.OffsetOf<FloatTile>(name));

    /// <summary>A token's number of the column, for all lanes: six tokens from each base, 0 to 5 strides away.</summary>
    private static Operand Token(int token)
    {
        var from = token < MostTokens / 2 ? FirstTokens : LastTokens;
        var (index, scale) = (token % (MostTokens / 2)) switch
        {
            0 => (default, 0),
            3 => (ThreeStrides, 1),
            5 => (FiveStrides, 1),
            var strides => (Stride, strides),
        };
        return new(from, 0, Repeats: true, index, scale);
    }

    private void TakeArguments()
    {
        To.Move(Weights, Field(nameof(FloatTile.Weights)));
        To.Move(FirstTokens, Field(nameof(FloatTile.Tokens)));
        To.Move(Stride, Field(nameof(FloatTile.TokenStride)));
        To.Move(ThreeStrides, Stride);
        To.Add(ThreeStrides, Stride);
        To.Move(FiveStrides, ThreeStrides);
        To.Add(ThreeStrides, Stride);
        To.Add(FiveStrides, ThreeStrides);
        To.Move(LastTokens, FirstTokens);
        To.Add(LastTokens, ThreeStrides);
        To.Add(LastTokens, ThreeStrides);
        To.Push(Arguments);
        To.Move(Columns, Field(nameof(FloatTile.Columns)));
        EachToken((token, half) => To.Clear(Total(token, half)));
    }

    private void Loop()
    {
        var top = To.Position;
        for (var line = 0; line < _columnBytes; line += VectorBytes)
        {
            To.Prefetch(new Operand(Weights, PrefetchBytes + line));
        }

        Load(Lower, new Operand(Weights, 0));
        Load(Upper, new Operand(Weights, _columnBytes / 2));
        EachToken((token, half) => To.MultiplyAdd(Total(token, half), half == 0 ? Lower : Upper, Token(token)));
        To.Add(Weights, _columnBytes);
        To.Add(FirstTokens, sizeof(float));
        To.Add(LastTokens, sizeof(float));
        To.CountDown(Columns, top);
    }

    private void Load(int target, Operand source)
    {
        switch (_format)
        {
            case WeightFormat.Float32:
                To.Load(target, source);
                break;
            case WeightFormat.BFloat16:
                To.LoadWords(target, source);
                To.ShiftLeft(target, target, 16);
                break;
            default:
                To.LoadHalves(target, source);
                break;
        }
    }
}
