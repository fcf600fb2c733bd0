using System.Buffers.Binary;
using System.Text;

namespace Llava.ModelCore.Native;

/// <summary>One section of an ELF64 file.</summary>
/// <param name="Type">What it holds.</param>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Link">Index of the section that its names are in.</param>
/// <param name="Info">A count, for those that are read here.</param>
internal readonly record struct ElfSection(uint Type, int Offset, int Size, int Link, int Info)
{
    /// <summary>Symbols for the dynamic linker.</summary>
    public const uint DynamicSymbols = 11;

    /// <summary>Versions that are asked for: <c>.gnu.version_r</c>.</summary>
    public const uint VersionNeeds = 0x6ffffffe;
}

/// <summary>Reads the table of sections of a little-endian ELF64 file (System V ABI, "Sections").</summary>
internal static class ElfSections
{
    /// <summary>All sections in order.</summary>
    public static ElfSection[] Of(ReadOnlySpan<byte> elf)
    {
        var table = BinaryPrimitives.ReadInt64LittleEndian(elf[0x28..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3a..]);
        var sections = new ElfSection[BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3c..])];
        for (var i = 0; i < sections.Length; i++)
        {
            var header = elf[(int)(table + (i * size))..];
            sections[i] = new(
                BinaryPrimitives.ReadUInt32LittleEndian(header[4..]),
                (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x18..]),
                (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x20..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[0x28..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[0x2c..]));
        }

        return sections;
    }

    /// <summary>The name that begins at an offset.</summary>
    public static string NameAt(ReadOnlySpan<byte> elf, int offset)
    {
        var tail = elf[offset..];
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }
}
