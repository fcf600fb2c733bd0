using System.Buffers.Binary;

namespace Llava.ModelCore.Imaging;

/// <summary>The headers of a bitmap file, checked against the length of the file.</summary>
internal readonly record struct BmpHeader
{
    private const int FileHeaderSize = 14;
    private const int CoreHeaderSize = 12;
    private const int InfoHeaderSize = 40;
    private const int MasksEnd = FileHeaderSize + InfoHeaderSize + 12;
    private const uint NoCompression = 0;
    private const uint BitFields = 3;

    public required long Width { get; init; }

    public required long Height { get; init; }

    public bool IsTopDown { get; private init; }

    public required int BitsPerPixel { get; init; }

    public required long PixelOffset { get; init; }

    /// <summary>Where the palette starts; entries are blue, green, red and with 4 bytes one unused.</summary>
    public required int PaletteOffset { get; init; }

    public required int PaletteEntrySize { get; init; }

    public long PaletteEntries { get; private init; }

    /// <summary>Bits of red, green and blue in a pixel of 16 or 32 bits.</summary>
    public (uint Red, uint Green, uint Blue) Masks { get; private init; }

    /// <summary>Bytes of a row; rows start at multiples of 4.</summary>
    public long Stride => ((Width * BitsPerPixel) + 31) / 32 * 4;

    /// <exception cref="ImageException">The header is cut off, contradicts itself, or asks for what is not supported.</exception>
    public static BmpHeader Parse(ReadOnlySpan<byte> file)
    {
        var headerSize = file.Length >= FileHeaderSize + CoreHeaderSize ? BinaryPrimitives.ReadUInt32LittleEndian(file[FileHeaderSize..]) : 0;
        if (headerSize != CoreHeaderSize && (headerSize < InfoHeaderSize || headerSize > file.Length - FileHeaderSize))
        {
            throw ImageException.Unreadable($"the bitmap header of {headerSize} bytes does not fit into a file of {file.Length} bytes");
        }

        var header = headerSize == CoreHeaderSize ? ParseCore(file) : ParseInfo(file, (int)headerSize);
        if (header.Width <= 0 || header.Height <= 0)
        {
            throw ImageException.Unreadable($"the bitmap header says {header.Width}×{header.Height} pixels");
        }

        return header.BitsPerPixel is 1 or 4 or 8 or 16 or 24 or 32
            ? header
            : throw ImageException.Unsupported($"a bitmap with {header.BitsPerPixel} bits per pixel");
    }

    private static BmpHeader ParseCore(ReadOnlySpan<byte> file)
    {
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(file[24..]);
        return new BmpHeader
        {
            Width = BinaryPrimitives.ReadUInt16LittleEndian(file[18..]),
            Height = BinaryPrimitives.ReadUInt16LittleEndian(file[20..]),
            BitsPerPixel = bits,
            PixelOffset = BinaryPrimitives.ReadUInt32LittleEndian(file[10..]),
            PaletteOffset = FileHeaderSize + CoreHeaderSize,
            PaletteEntrySize = 3,
            PaletteEntries = bits <= 8 ? 1 << bits : 0,
            Masks = DefaultMasks(bits),
        };
    }

    private static BmpHeader ParseInfo(ReadOnlySpan<byte> file, int headerSize)
    {
        var height = BinaryPrimitives.ReadInt32LittleEndian(file[22..]);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(file[28..]);
        var compression = BinaryPrimitives.ReadUInt32LittleEndian(file[30..]);
        var colors = BinaryPrimitives.ReadUInt32LittleEndian(file[46..]);
        var hasMasks = compression == BitFields && bits is 16 or 32;
        if (compression != NoCompression && !hasMasks)
        {
            throw ImageException.Unsupported($"a bitmap with compression {compression}");
        }

        if (hasMasks && file.Length < MasksEnd)
        {
            throw ImageException.Unreadable($"the bitmap's colour masks end at byte {MasksEnd} and the file at byte {file.Length}");
        }

        return new BmpHeader
        {
            Width = BinaryPrimitives.ReadInt32LittleEndian(file[18..]),
            Height = Math.Abs((long)height),
            IsTopDown = height < 0,
            BitsPerPixel = bits,
            PixelOffset = BinaryPrimitives.ReadUInt32LittleEndian(file[10..]),
            PaletteOffset = FileHeaderSize + headerSize,
            PaletteEntrySize = 4,
            PaletteEntries = bits > 8 ? 0 : colors == 0 ? 1 << bits : Math.Min(colors, 1 << bits),
            Masks = hasMasks ? ReadMasks(file[(FileHeaderSize + InfoHeaderSize)..]) : DefaultMasks(bits),
        };
    }

    private static (uint Red, uint Green, uint Blue) DefaultMasks(int bits) => bits == 16 ? (0x7C00u, 0x03E0u, 0x001Fu) : (0xFF0000u, 0x00FF00u, 0x0000FFu);

    private static (uint Red, uint Green, uint Blue) ReadMasks(ReadOnlySpan<byte> bytes) =>
        (BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]));
}
