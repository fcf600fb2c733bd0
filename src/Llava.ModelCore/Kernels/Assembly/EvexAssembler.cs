using System.Buffers.Binary;
using System.Numerics;

namespace Llava.ModelCore.Kernels.Assembly;

/// <summary>
/// Writes the few x86-64 instructions that a kernel needs: 512-bit vectors in the EVEX encoding (Intel, Software Developer's Manual, volume 2,
/// section 2.7) and the loop around them. Displacements are always 32 bits, so nothing depends on their size.
/// </summary>
internal sealed class EvexAssembler
{
    private readonly List<byte> _code = [];

    /// <summary>What has been written.</summary>
    public byte[] Code => [.. _code];

    /// <summary>Where the next instruction begins.</summary>
    public int Position => _code.Count;

    /// <summary>Loads 64 bytes.</summary>
    public void Load(int target, Operand source) => Vector(Map.Primary, Prefix.F3, 0x6F, target, 0, source);

    /// <summary>Stores 64 bytes.</summary>
    public void Store(Operand target, int source) => Vector(Map.Primary, Prefix.F3, 0x7F, source, 0, target);

    /// <summary>Loads 32 bits into every lane.</summary>
    public void Broadcast(int target, Operand source) => Vector(Map.Second, Prefix.P66, 0x58, target, 0, source);

    /// <summary>Loads sixteen 16-bit numbers into 32-bit lanes, without sign.</summary>
    public void LoadWords(int target, Operand source) => Vector(Map.Second, Prefix.P66, 0x33, target, 0, source);

    /// <summary>All bits zero.</summary>
    public void Clear(int target) => Vector(Map.Primary, Prefix.P66, 0xEF, target, target, target);

    /// <summary>target = first AND second.</summary>
    public void And(int target, int first, int second) => Vector(Map.Primary, Prefix.P66, 0xDB, target, first, second);

    /// <summary>Shifts each 32-bit lane left.</summary>
    public void ShiftLeft(int target, int source, byte bits) => Shift(6, target, source, bits);

    /// <summary>Shifts each 32-bit lane right, without sign.</summary>
    public void ShiftRight(int target, int source, byte bits) => Shift(2, target, source, bits);

    /// <summary>AVX512-VNNI: each lane of the target += Σ₄ unsigned byte · signed byte.</summary>
    public void DotProduct(int target, int unsigned, int signed) => Vector(Map.Second, Prefix.P66, 0x50, target, unsigned, signed);

    /// <summary>AVX512-VNNI: each lane of the target += Σ₂ signed word · signed word.</summary>
    public void DotProductOfWords(int target, int first, int second) => Vector(Map.Second, Prefix.P66, 0x52, target, first, second);

    /// <summary>float32 of int32.</summary>
    public void ToSingle(int target, int source) => Vector(Map.Primary, Prefix.None, 0x5B, target, 0, source);

    /// <summary>target = first · second.</summary>
    public void Multiply(int target, int first, Operand second) => Vector(Map.Primary, Prefix.None, 0x59, target, first, second);

    /// <summary>target = first + second.</summary>
    public void Add(int target, int first, Operand second) => Vector(Map.Primary, Prefix.None, 0x58, target, first, second);

    /// <summary>target = first · second + target, rounded once.</summary>
    public void MultiplyAdd(int target, int first, int second) => Vector(Map.Second, Prefix.P66, 0xB8, target, first, second);

    /// <summary>target = first · second + target, rounded once.</summary>
    public void MultiplyAdd(int target, int first, Operand second) => Vector(Map.Second, Prefix.P66, 0xB8, target, first, second);

    /// <summary>Loads sixteen numbers of half precision as float32.</summary>
    public void LoadHalves(int target, Operand source) => Vector(Map.Second, Prefix.P66, 0x13, target, 0, source);

    /// <summary>Brings a cache line in.</summary>
    public void Prefetch(Operand place)
    {
        Bytes(0x0F, 0x18);
        Memory(1, place);
    }

    /// <summary>Loads 64 bits.</summary>
    public void Move(Register target, Operand source)
    {
        Bytes(Rex((int)target, (int)source.Base), 0x8B);
        Memory((int)target, source);
    }

    /// <summary>Puts one of the first eight registers on the stack.</summary>
    public void Push(Register register) => Bytes((byte)(0x50 | (int)register));

    /// <summary>Takes it from there.</summary>
    public void Pop(Register register) => Bytes((byte)(0x58 | (int)register));

    /// <summary>target = source.</summary>
    public void Move(Register target, Register source) => Move(target, (int)source);

    /// <summary>target = source.</summary>
    public void Move(Register target, int source) => Bytes(Rex(source, (int)target), 0x89, Registers(source, (int)target));

    /// <summary>target += source.</summary>
    public void Add(Register target, Register source) => Bytes(Rex((int)source, (int)target), 0x01, Registers((int)source, (int)target));

    /// <summary>target += number.</summary>
    public void Add(Register target, int number)
    {
        Bytes(Rex(0, (int)target), 0x81, Registers(0, (int)target));
        Number(number);
    }

    /// <summary>target = number.</summary>
    public void Set(Register target, int number)
    {
        Bytes(Rex(0, (int)target), 0xC7, Registers(0, (int)target));
        Number(number);
    }

    /// <summary>Counts down and jumps back unless that made zero.</summary>
    public void CountDown(Register counter, int target)
    {
        Bytes(Rex(1, (int)counter), 0xFF, Registers(1, (int)counter), 0x0F, 0x85);
        Number(target - (Position + sizeof(int)));
    }

    /// <summary>Moves the stack pointer.</summary>
    public void MoveStack(int bytes)
    {
        Bytes(0x48, 0x81, 0xC4);
        Number(bytes);
    }

    /// <summary>Stores the lower 16 bytes of a vector register (0 to 15) on the stack.</summary>
    public void Save(int vector, int displacement) => Stack(0x11, vector, displacement);

    /// <summary>Loads them again.</summary>
    public void Restore(int vector, int displacement) => Stack(0x10, vector, displacement);

    /// <summary>Ends the function; vectors' upper parts are clean for code in older encodings.</summary>
    public void Return() => Bytes(0xC5, 0xF8, 0x77, 0xC3);

    private static byte Rex(int register, int other) => (byte)(0x48 | (register >> 3 << 2) | (other >> 3));

    private static byte Registers(int register, int other) => (byte)(0xC0 | ((register & 7) << 3) | (other & 7));

    private void Shift(int operation, int target, int source, byte bits)
    {
        Vector(Map.Primary, Prefix.P66, 0x72, operation, target, source);
        Bytes(bits);
    }

    private void Vector(Map map, Prefix prefix, byte operation, int register, int first, int second)
    {
        Evex(map, prefix, register, first, second >> 4, second >> 3, repeats: false);
        Bytes(operation, Registers(register, second));
    }

    private void Vector(Map map, Prefix prefix, byte operation, int register, int first, Operand second)
    {
        Evex(map, prefix, register, first, second.Scale == 0 ? 0 : (int)second.Index >> 3, (int)second.Base >> 3, second.Repeats);
        Bytes(operation);
        Memory(register, second);
    }

    /// <summary>The four bytes before the operation; the encoding keeps most register bits inverted.</summary>
    private void Evex(Map map, Prefix prefix, int register, int first, int secondHighest, int secondHigh, bool repeats) => Bytes(
        0x62,
        (byte)((Inverted(register >> 3) << 7) | (Inverted(secondHighest) << 6) | (Inverted(secondHigh) << 5) | (Inverted(register >> 4) << 4) | (int)map),
        (byte)(((~first & 0xF) << 3) | 4 | (int)prefix),
        (byte)((2 << 5) | (repeats ? 1 << 4 : 0) | (Inverted(first >> 4) << 3)));

    private static int Inverted(int bit) => ~bit & 1;

    private void Memory(int register, Operand place)
    {
        if (place.Scale == 0)
        {
            Bytes((byte)(0x80 | ((register & 7) << 3) | ((int)place.Base & 7)));
        }
        else
        {
            Bytes((byte)(0x84 | ((register & 7) << 3)), (byte)((BitOperations.Log2((uint)place.Scale) << 6) | (((int)place.Index & 7) << 3) | ((int)place.Base & 7)));
        }

        Number(place.Displacement);
    }

    private void Stack(byte operation, int vector, int displacement)
    {
        if (vector >= 8)
        {
            Bytes(0x44);
        }

        Bytes(0x0F, operation, (byte)(0x84 | ((vector & 7) << 3)), 0x24);
        Number(displacement);
    }

    private void Bytes(params ReadOnlySpan<byte> bytes) => _code.AddRange(bytes);

    private void Number(int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        Bytes(bytes);
    }

    private enum Map
    {
        Primary = 1,
        Second = 2,
    }

    private enum Prefix
    {
        None = 0,
        P66 = 1,
        F3 = 2,
    }
}
