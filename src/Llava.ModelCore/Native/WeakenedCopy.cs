using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Llava.ModelCore.Native;

/// <summary>
/// Copies an ELF64 library into a cache folder with one version requirement marked weak (VER_FLG_WEAK in the
/// <c>.gnu.version_r</c> section), so that the dynamic linker warns instead of refusing. See the System V ABI supplement
/// "Symbol versioning", structures Verneed and Vernaux.
/// </summary>
internal static class WeakenedCopy
{
    private const uint SectionTypeVerneed = 0x6ffffffe;
    private const ushort VerFlgWeak = 2;

    /// <summary>Path of the copy; made on first use, kept under a name that contains the content's hash.</summary>
    public static string Of(string library, string version)
    {
        var bytes = File.ReadAllBytes(library);
        var folder = Path.Combine(CacheFolder(), Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
        var copy = Path.Combine(folder, Path.GetFileName(library));
        if (File.Exists(copy))
        {
            return copy;
        }

        Weaken(bytes, version, library);
        Directory.CreateDirectory(folder);
        // Written aside and renamed: another process may be doing the same at this moment.
        var aside = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllBytes(aside, bytes);
        File.Move(aside, copy, overwrite: true);
        return copy;
    }

    private static string CacheFolder()
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var root = !string.IsNullOrEmpty(cache) ? cache
            : !string.IsNullOrEmpty(home) ? Path.Combine(home, ".cache")
            : Path.GetTempPath();
        return Path.Combine(root, "llava-batch", "native");
    }

    private static void Weaken(Span<byte> elf, string version, string library)
    {
        foreach (var (type, offset, link, count) in Sections(elf))
        {
            if (type != SectionTypeVerneed)
            {
                continue;
            }

            var strings = (int)Sections(elf)[link].Offset;
            if (WeakenIn(elf, (int)offset, count, strings, version))
            {
                return;
            }
        }

        throw new TorchLibraryException($"'{library}' does not load here and does not ask for {version} either; its cause is something else. Run 'ldd {library}' to see what is missing.");
    }

    private static bool WeakenIn(Span<byte> elf, int need, int count, int strings, string version)
    {
        for (var n = 0; n < count; n++)
        {
            var auxiliaries = BinaryPrimitives.ReadUInt16LittleEndian(elf[(need + 2)..]);
            var aux = need + BinaryPrimitives.ReadInt32LittleEndian(elf[(need + 8)..]);
            for (var a = 0; a < auxiliaries; a++)
            {
                var name = strings + BinaryPrimitives.ReadInt32LittleEndian(elf[(aux + 8)..]);
                if (NameAt(elf, name) == version)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(elf[(aux + 4)..], VerFlgWeak);
                    return true;
                }

                aux += BinaryPrimitives.ReadInt32LittleEndian(elf[(aux + 12)..]);
            }

            need += BinaryPrimitives.ReadInt32LittleEndian(elf[(need + 12)..]);
        }

        return false;
    }

    private static string NameAt(ReadOnlySpan<byte> elf, int offset)
    {
        var tail = elf[offset..];
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }

    private static (uint Type, long Offset, int Link, int Info)[] Sections(ReadOnlySpan<byte> elf)
    {
        var table = BinaryPrimitives.ReadInt64LittleEndian(elf[0x28..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3a..]);
        var sections = new (uint, long, int, int)[BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3c..])];
        for (var i = 0; i < sections.Length; i++)
        {
            var header = elf[(int)(table + (i * size))..];
            sections[i] = (
                BinaryPrimitives.ReadUInt32LittleEndian(header[4..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[0x18..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[0x28..]),
                BinaryPrimitives.ReadInt32LittleEndian(header[0x2c..]));
        }

        return sections;
    }
}
