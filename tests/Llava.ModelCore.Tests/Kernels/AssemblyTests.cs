using System.Buffers.Binary;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Assembly;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>The code that is made at run time: its bytes, and Windows' variant of it, which only the calling convention sets apart.</summary>
public sealed unsafe class AssemblyTests
{
    /// <summary>Bytes as GNU as 2.40 writes them with displacements of 32 bits.</summary>
    private static readonly (string Instruction, string Bytes, Action<EvexAssembler> Write)[] Listing =
    [
        ("vmovdqu32 zmm24, [rcx+64]", "62617E486F8140000000", to => to.Load(24, new Operand(Register.Rcx, 64))),
        ("vmovdqu32 [r10+64], zmm13", "62517E487FAA40000000", to => to.Store(new Operand(Register.R10, 64), 13)),
        ("vpbroadcastd zmm26, [rdx+40]", "62627D48589228000000", to => to.Broadcast(26, new Operand(Register.Rdx, 40))),
        ("vpdpbusd zmm11, zmm25, zmm26", "6212354050DA", to => to.DotProduct(11, 25, 26)),
        ("vmulps zmm26, zmm24, [rdx+32]{1to16}", "62613C50599220000000", to => to.Multiply(26, 24, new Operand(Register.Rdx, 32, Repeats: true))),
        ("vaddps zmm12, zmm12, [r10+64]", "62511C4858A240000000", to => to.Add(12, 12, new Operand(Register.R10, 64))),
        ("vpdpwssd zmm11, zmm25, zmm26", "6212354052DA", to => to.DotProductOfWords(11, 25, 26)),
        ("vpslld zmm24, zmm24, 16", "62913D4072F010", to => to.ShiftLeft(24, 24, 16)),
        ("vpsrld zmm27, zmm27, 4", "6291254072D304", to => to.ShiftRight(27, 27, 4)),
        ("vpandd zmm24, zmm27, zmm29", "62012540DBC5", to => to.And(24, 27, 29)),
        ("vpxord zmm12, zmm12, zmm12", "62511D48EFE4", to => to.Clear(12)),
        ("vcvtdq2ps zmm3, zmm3", "62F17C485BDB", to => to.ToSingle(3, 3)),
        ("vfmadd231ps zmm12, zmm3, zmm26", "62126548B8E2", to => to.MultiplyAdd(12, 3, 26)),
        ("vfmadd231ps zmm3, zmm24, [r8+r9*4+32767]{1to16}", "62923D50B89C88FF7F0000", to => to.MultiplyAdd(3, 24, new Operand(Register.R8, 32767, Repeats: true, Register.R9, 4))),
        ("vfmadd231ps zmm23, zmm25, [rdx+r11+32767]{1to16}", "62A23550B8BC1AFF7F0000", to => to.MultiplyAdd(23, 25, new Operand(Register.Rdx, 32767, Repeats: true, Register.R11, 1))),
        ("vcvtph2ps zmm24, [rcx+32767]", "62627D481381FF7F0000", to => to.LoadHalves(24, new Operand(Register.Rcx, 32767))),
        ("push rax", "50", to => to.Push(Register.Rax)),
        ("pop rax", "58", to => to.Pop(Register.Rax)),
        ("mov r8, rdx", "4989D0", to => to.Move(Register.R8, Register.Rdx)),
        ("vpmovzxwd zmm25, [rcx+1056]", "62627D48338920040000", to => to.LoadWords(25, new Operand(Register.Rcx, 1056))),
        ("prefetcht0 [rcx+4096]", "0F188900100000", to => to.Prefetch(new Operand(Register.Rcx, 4096))),
        ("mov rax, rdi", "4889F8", to => to.Move(Register.Rax, 7)),
        ("mov r10, [rax+32]", "4C8B9020000000", to => to.Move(Register.R10, new Operand(Register.Rax, 32))),
        ("add rcx, 1088", "4881C140040000", to => to.Add(Register.Rcx, 1088)),
        ("add rdx, r8", "4C01C2", to => to.Add(Register.Rdx, Register.R8)),
        ("add r10, r11", "4D01DA", to => to.Add(Register.R10, Register.R11)),
        ("mov r9, 1000000", "49C7C140420F00", to => to.Set(Register.R9, 1_000_000)),
        ("dec r9; jnz to itself", "49FFC90F85F7FFFFFF", to => to.CountDown(Register.R9, 0)),
        ("add rsp, 400", "4881C490010000", to => to.MoveStack(400)),
        ("movups [rsp+16], xmm7", "0F11BC2410000000", to => to.Save(7, 16)),
        ("movups xmm12, [rsp+96]", "440F10A42460000000", to => to.Restore(12, 96)),
        ("vzeroupper; ret", "C5F877C3", to => to.Return()),
    ];

    [Fact]
    public void Instructions_have_the_bytes_of_their_listing() => Assert.All(Listing, line =>
    {
        EvexAssembler to = new();
        line.Write(to);
        Assert.Equal((line.Instruction, line.Bytes), (line.Instruction, Convert.ToHexString(to.Code)));
    });

    [Fact]
    public void Windows_kernels_compute_the_same_and_give_the_kept_registers_back()
    {
        if (!IntegerKernels.Available.Contains(KernelKind.Assembled) || OperatingSystem.IsWindows())
        {
            // This needs the instructions, and another system to be the caller; the listing above holds everywhere.
            return;
        }

        using var call = ExecutableCode.TryMap(CallAsWindows())!;
        foreach (var format in (WeightFormat[])[WeightFormat.Int8, WeightFormat.Int4, WeightFormat.Int16])
        {
            for (var tokens = 1; tokens <= TileAssembly.MostTokens; tokens++)
            {
                using var code = ExecutableCode.TryMap(TileAssembly.Of(format, tokens, adds: false, CallingConvention.Windows))!;
                RequireSame(call, code, format, tokens);
            }
        }

        foreach (var format in (WeightFormat[])[WeightFormat.Float32, WeightFormat.BFloat16, WeightFormat.Float16])
        {
            for (var tokens = 1; tokens <= FloatTileAssembly.MostTokens; tokens++)
            {
                using var code = ExecutableCode.TryMap(FloatTileAssembly.Of(format, tokens, adds: false, CallingConvention.Windows))!;
                RequireSameFloats(call, code, format, tokens);
            }
        }
    }

    private static void RequireSame(ExecutableCode call, ExecutableCode code, WeightFormat format, int tokens)
    {
        const int Groups = 3;
        Random random = new(tokens);
        using PackedMatrix matrix = new(Panel.Rows, Groups * Panel.Group, format);
        for (var row = 0; row < Panel.Rows; row++)
        {
            matrix.SetRow(row, Numbers.Ordinary(random, matrix.Columns));
        }

        using var x = Numbers.Rows(Numbers.Ordinary(random, tokens * matrix.Columns), tokens, matrix.Columns, matrix.Columns);
        using QuantizedRows integers = new(tokens, matrix.Columns, format);
        for (var token = 0; token < tokens; token++)
        {
            integers.Set(token, tokens, x.Start + (token * matrix.Columns), matrix.Columns, format);
        }

        using NativeBuffer<float> output = new(tokens * Panel.Rows), expected = new(tokens * Panel.Rows);
        Tile tile = new()
        {
            Weights = matrix.PanelAt(0),
            Tokens = integers.RecordAt(0, format),
            GroupStride = tokens * QuantizedRows.RecordBytes(format),
            Groups = Groups,
            Output = expected.Start,
            OutputStride = Panel.Rows * sizeof(float),
            Mask = Tile.LowNibbles,
        };
        IntegerKernels.Get(KernelKind.Assembled).Multiply(tile, format, tokens, adds: false);
        tile.Output = output.Start;
        RequireKept(call, code, &tile, random);
        Assert.Equal(new ReadOnlySpan<float>(expected.Start, tokens * Panel.Rows), new ReadOnlySpan<float>(output.Start, tokens * Panel.Rows));
    }

    private static void RequireSameFloats(ExecutableCode call, ExecutableCode code, WeightFormat format, int tokens)
    {
        const int Columns = 5;
        Random random = new(tokens);
        using PackedMatrix matrix = new(Panel.Rows, Columns, format);
        for (var row = 0; row < Panel.Rows; row++)
        {
            matrix.SetRow(row, Numbers.Ordinary(random, Columns));
        }

        using var x = Numbers.Rows(Numbers.Ordinary(random, tokens * Columns), tokens, Columns, Columns);
        using NativeBuffer<float> output = new(tokens * Panel.Rows), expected = new(tokens * Panel.Rows);
        FloatTile tile = new()
        {
            Weights = matrix.PanelAt(0),
            Tokens = x.Start,
            TokenStride = Columns * sizeof(float),
            Columns = Columns,
            Output = expected.Start,
            OutputStride = Panel.Rows * sizeof(float),
        };
        FloatKernel.Beside(KernelKind.Assembled).Multiply(tile, format, tokens, adds: false);
        tile.Output = output.Start;
        RequireKept(call, code, &tile, random);
        Assert.Equal(new ReadOnlySpan<float>(expected.Start, tokens * Panel.Rows), new ReadOnlySpan<float>(output.Start, tokens * Panel.Rows));
    }

    /// <summary>Calls a kernel as Windows does: the vector registers that it has to keep are as they were.</summary>
    private static void RequireKept(ExecutableCode call, ExecutableCode code, void* tile, Random random)
    {
        using NativeBuffer<byte> before = new(160), after = new(160);
        random.NextBytes(new Span<byte>(before.Start, 160));
        ((delegate* unmanaged<void*, byte*, byte*, byte*, void>)call.Start)(tile, code.Start, before.Start, after.Start);
        Assert.Equal(new ReadOnlySpan<byte>(before.Start, 160), new ReadOnlySpan<byte>(after.Start, 160));
    }

    /// <summary>(argument, function, before, after): loads xmm6 to xmm15 from before, calls the function as Windows does, stores them to after.</summary>
    private static byte[] CallAsWindows()
    {
        List<byte> code = [];
        EachKept(0x10);
        code.AddRange([0x51, 0x48, 0x89, 0xF9, 0xFF, 0xD6, 0x5A]); // push rcx; mov rcx, rdi; call rsi; pop rdx
        EachKept(0x11);
        code.Add(0xC3);
        return [.. code];

        // movups xmm, [rdx + …] and back
        void EachKept(byte operation)
        {
            for (var vector = 6; vector < 16; vector++)
            {
                code.AddRange([.. vector < 8 ? (byte[])[] : [0x44], 0x0F, operation, (byte)(0x82 | ((vector & 7) << 3))]);
                var displacement = new byte[sizeof(int)];
                BinaryPrimitives.WriteInt32LittleEndian(displacement, (vector - 6) * 16);
                code.AddRange(displacement);
            }
        }
    }
}
