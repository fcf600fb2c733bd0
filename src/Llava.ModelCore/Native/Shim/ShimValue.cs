using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Shim;

/// <summary>An argument of an operator, as its schema has it. <c>Scalar</c> arguments are none: the interface does not carry them.</summary>
internal readonly unsafe struct ShimValue
{
    private readonly Kind _kind;
    private readonly bool _isOptional;
    private readonly ulong _bits;
    private readonly Array? _list;

    private ShimValue(Kind kind, ulong bits, Array? list = null, bool isOptional = false) => (_kind, _bits, _list, _isOptional) = (kind, bits, list, isOptional);

    private enum Kind
    {
        Bits,
        Tensor,
        Tensors,
        Integers,
    }

    /// <summary>An optional argument that is not given.</summary>
    public static ShimValue None => new(Kind.Bits, 0);

    /// <summary>A tensor by its handle; the caller keeps his.</summary>
    public static implicit operator ShimValue(nint tensor) => new(Kind.Tensor, (ulong)tensor);

    /// <summary>An <c>int</c> of the schema.</summary>
    public static implicit operator ShimValue(long integer) => new(Kind.Bits, (ulong)integer);

    /// <summary>A <c>float</c> of the schema, which has 64 bits.</summary>
    public static implicit operator ShimValue(double number) => new(Kind.Bits, BitConverter.DoubleToUInt64Bits(number));

    /// <summary>A <c>bool</c> of the schema.</summary>
    public static implicit operator ShimValue(bool flag) => new(Kind.Bits, flag ? 1UL : 0);

    /// <summary>A list of tensors by their handles.</summary>
    public static implicit operator ShimValue(nint[] tensors) => new(Kind.Tensors, 0, tensors);

    /// <summary>A list of integers.</summary>
    public static implicit operator ShimValue(long[] integers) => new(Kind.Integers, 0, integers);

    /// <summary>The same for an argument that is optional in the schema: <c>Tensor?</c>, <c>int[1]?</c>.</summary>
    public ShimValue Given() => new(_kind, _bits, _list, isOptional: true);

    /// <summary>What goes onto the stack. It is the operator's from then on: tensors are new handles, optional values cells of C's heap, lists new lists.</summary>
    public ulong Handed()
    {
        var value = _kind switch
        {
            Kind.Bits => _bits,
            Kind.Tensor => (ulong)StableShim.Copy((nint)_bits),
            Kind.Tensors => List(((nint[])_list!).Select(tensor => (ulong)StableShim.Copy(tensor))),
            _ => List(((long[])_list!).Select(integer => (ulong)integer)),
        };
        return _isOptional ? (ulong)Cell(value) : value;
    }

    private static nint Cell(ulong value)
    {
        // libtorch gives it back with C++'s delete, which is free().
        var cell = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *cell = value;
        return (nint)cell;
    }

    private static ulong List(IEnumerable<ulong> values)
    {
        nint list;
        StableShim.Check(ShimFunctions.Own.NewList(0, &list), "make a list");
        foreach (var value in values)
        {
            StableShim.Check(ShimFunctions.Own.PushBack(list, value), "add to a list");
        }

        return (ulong)list;
    }
}
