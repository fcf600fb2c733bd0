using System.IO.Compression;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Checkpoints;

public sealed class TorchArchiveFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Archive => _folder.File("x.bin");

    [Fact]
    public void A_pickle_that_calls_a_command_is_refused_by_name_and_runs_nothing()
    {
        var marker = _folder.File("marker");
        new PickleBuilder().Global("os", "system").Text($"touch {marker}").Raw(0x85).Ops("R.").Write(Archive);

        var error = Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive));

        Assert.Contains("asks to run 'os.system'; only tensors are read from torch archives", error.Message);
        Assert.Contains(Archive, error.Message);
        Assert.False(File.Exists(marker));
    }

    [Theory]
    [InlineData("builtins", "eval")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("torch", "load")]
    [InlineData("torch", "FloatStorage.__init__")]
    [InlineData("collections", "OrderedDict.fromkeys")]
    public void Names_that_are_not_parts_of_tensors_are_refused(string module, string name)
    {
        new PickleBuilder().Text(module).Text(name).Raw(0x93).Ops(".").Write(Archive);
        var error = Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive));
        Assert.Contains($"'{module}.{name}'", error.Message);
    }

    [Fact]
    public void Views_with_offset_and_strides_share_a_storage()
    {
        float[] storage = [0, 1, 2, 3, 4, 5, 6];
        new PickleBuilder().Ops("}(")
            .Text("plain").Tensor("0", 7, 1, [2, 3], [3, 1])
            .Text("transposed").Tensor("0", 7, 1, [3, 2], [1, 3])
            .Text("scalar").Tensor("0", 7, 6, [], [])
            .Text("empty").Tensor("0", 7, 0, [0, 3], [3, 1])
            .Ops("u.").Write(Archive, storages: ("0", storage));
        using var file = TorchArchiveFile.Open(Archive);

        Assert.Equal(["plain", "transposed", "scalar", "empty"], file.Entries.Select(e => e.Name));
        Assert.Equal([1f, 2, 3, 4, 5, 6], Values(file, "plain"));
        Assert.Equal([1f, 4, 2, 5, 3, 6], Values(file, "transposed"));
        Assert.Equal([6f], Values(file, "scalar"));
        using var empty = file.Read("empty");
        Assert.Equal([0, 3], empty.shape);
    }

    [Fact]
    public void A_state_dictionary_with_parameters_and_module_versions_is_read()
    {
        // What torch.save(module.state_dict()) leaves: an OrderedDict whose _metadata is set as an attribute.
        new PickleBuilder().Global("collections", "OrderedDict").Ops(")R(")
            .Text("p").Global("torch._utils", "_rebuild_parameter").Ops("(").Tensor("0", 2, 0, [2], [1]).Raw(0x88).Global("collections", "OrderedDict").Ops(")RtR").Ops("u}")
            .Text("_metadata").Global("collections", "OrderedDict").Ops(")R").Text("").Ops("}").Text("version").Integer(1).Ops("sssb.")
            .Write(Archive, storages: ("0", [3, 4]));
        using var file = TorchArchiveFile.Open(Archive);
        Assert.Equal(["p"], file.Entries.Select(e => e.Name));
        Assert.Equal([3f, 4], Values(file, "p"));
    }

    [Theory]
    [InlineData(5, new long[] { 3 }, new long[] { 1 })] // behind the end
    [InlineData(-1, new long[] { 3 }, new long[] { 1 })] // before the start
    [InlineData(0, new long[] { 1L << 40 }, new long[] { 0 })] // one element repeated
    [InlineData(0, new long[] { 1L << 40, 1L << 40 }, new long[] { 1, 1 })] // overflows
    [InlineData(0, new long[] { 2 }, new long[] { -1 })]
    [InlineData(0, new long[] { -2 }, new long[] { 1 })]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 1 })]
    public void A_view_outside_its_storage_is_refused(long offset, long[] shape, long[] strides)
    {
        new PickleBuilder().Ops("}(").Text("t").Tensor("0", 7, offset, shape, strides).Ops("u.").Write(Archive, storages: ("0", [0, 1, 2, 3, 4, 5, 6]));
        Assert.Contains("does not fit its storage of 7", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
    }

    [Fact]
    public void A_storage_that_claims_more_than_its_entry_holds_is_bounded_by_the_entry()
    {
        new PickleBuilder().Ops("}(").Text("t").Tensor("0", 1L << 40, 0, [1L << 40], [1]).Ops("u.").Write(Archive, storages: ("0", [1, 2]));
        Assert.Contains("does not fit its storage of 2", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
    }

    [Fact]
    public void Deep_nesting_and_open_marks_end_in_an_error_not_in_a_crash()
    {
        new PickleBuilder().Raw([.. Enumerable.Repeat((byte)'(', 5_000_000)]).Write(Archive);
        Assert.Contains("open at once", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);

        File.Delete(Archive);
        var nested = new PickleBuilder().Ops(")").Raw([.. Enumerable.Repeat((byte)0x85, 5_000_000)]).Ops(".");
        nested.Write(Archive);
        Assert.Contains("a tuple", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
    }

    [Fact]
    public void Sizes_beyond_the_file_end_in_an_error()
    {
        foreach (var pickle in (PickleBuilder[])
        [
            new PickleBuilder().Ops("X").Raw(0xff, 0xff, 0xff, 0xff), // a string of 4 GB
            new PickleBuilder().Ops("}r").Raw(0xff, 0xff, 0xff, 0xff), // memo slot 4 billion
            new PickleBuilder().Raw(0x8a, 0xff), // a number of 255 bytes
            new PickleBuilder().Ops("}h").Raw(9), // an empty memo slot
            new PickleBuilder().Ops("t"), // a tuple without a start
            new PickleBuilder().Ops("R"), // a call of nothing
            new PickleBuilder().Ops("}(").Text("key").Ops("u."), // a key without value
            new PickleBuilder().Ops("}").Integer(1).Integer(2).Ops("s."), // a key that is no name
            new PickleBuilder().Ops("N."),
            new PickleBuilder(),
        ])
        {
            File.Delete(Archive);
            pickle.Write(Archive);
            Assert.Contains("damaged pickle", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
        }
    }

    [Fact]
    public void A_pickle_larger_than_any_list_of_tensors_is_refused()
    {
        new PickleBuilder().Raw(new byte[17 << 20]).Write(Archive);
        Assert.Contains("not a model's weights", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
    }

    [Fact]
    public void Values_that_are_not_tensors_are_refused_with_their_key()
    {
        new PickleBuilder().Ops("}").Text("epoch").Integer(3).Ops("s.").Write(Archive);
        Assert.Contains("under 'epoch'", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
    }

    [Fact]
    public void Sizes_in_64_bit_fields_are_read()
    {
        new PickleBuilder().Ops("}(").Text("t").Tensor("0", 3, 0, [3], [1]).Ops("u.").Write(Archive, storages: ("0", [1, 2, 3]));
        File.WriteAllBytes(Archive, WithWideFields(File.ReadAllBytes(Archive)));
        using var file = TorchArchiveFile.Open(Archive);
        Assert.Equal([1f, 2, 3], Values(file, "t"));
    }

    [Fact]
    public void Compressed_archives_are_refused()
    {
        new PickleBuilder().Ops("}").Raw(new byte[1000]).Write(Archive, CompressionLevel.Optimal);
        Assert.Contains("compressed", Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive)).Message);
    }

    [Fact]
    public void Files_of_other_kinds_are_named_for_what_they_are()
    {
        File.WriteAllBytes(Archive, [0x80, 2, 0x8a, 10, 1, 2, 3]);
        Assert.Contains("before version 1.6", Assert.Throws<CheckpointException>(() => TensorContainer.Open(Archive)).Message);
        File.WriteAllText(Archive, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        Assert.Contains("git lfs pull", Assert.Throws<CheckpointException>(() => TensorContainer.Open(Archive)).Message);
        File.WriteAllText(Archive, "<html>not found</html>");
        Assert.Contains("not a torch archive", Assert.Throws<CheckpointException>(() => TensorContainer.Open(Archive)).Message);
        File.WriteAllBytes(Archive, []);
        Assert.Contains("empty", Assert.Throws<CheckpointException>(() => TensorContainer.Open(Archive)).Message);
    }

    [Fact]
    public void A_truncated_archive_is_refused_wherever_it_is_cut()
    {
        new PickleBuilder().Ops("}(").Text("t").Tensor("0", 3, 0, [3], [1]).Ops("u.").Write(Archive, storages: ("0", [1, 2, 3]));
        var bytes = File.ReadAllBytes(Archive);
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(Archive, bytes[..length]);
            Assert.Throws<CheckpointException>(() => TorchArchiveFile.Open(Archive));
        }
    }

    [Fact]
    public void A_flipped_byte_is_refused_or_leaves_the_tensor_inside_its_storage()
    {
        new PickleBuilder().Ops("}(").Text("t").Tensor("0", 3, 0, [3], [1]).Ops("u.").Write(Archive, storages: ("0", [1, 2, 3]));
        var bytes = File.ReadAllBytes(Archive);
        for (var i = 0; i < bytes.Length; i++)
        {
            var flipped = bytes.ToArray();
            flipped[i] ^= 0xff;
            File.WriteAllBytes(Archive, flipped);
            try
            {
                using var file = TorchArchiveFile.Open(Archive);
                foreach (var entry in file.Entries)
                {
                    file.Read(entry.Name).Dispose();
                }
            }
            catch (CheckpointException e)
            {
                Assert.Contains(Archive, e.Message);
            }
        }
    }

    [Fact]
    public void What_the_writer_writes_the_reader_reads()
    {
        Native.TorchLibrary.EnsureLoaded();
        using var scope = TorchSharp.torch.NewDisposeScope();
        var values = new Dictionary<string, Tensor>
        {
            ["half"] = randn(3, 5).to(ScalarType.Float16),
            ["brain"] = randn(4).to(ScalarType.BFloat16),
            ["transposed"] = randn(4, 6).t(),
            ["scalar"] = tensor(3.5),
            ["none"] = empty(0, 7),
            ["ids"] = arange(Scalars.OfInteger(9)),
            ["flags"] = tensor(new[] { true, false }),
        };
        TorchArchiveWriter.Write(Archive, [.. values.Select(v => new TensorEntry(v.Key, v.Value.dtype, v.Value.shape))], name => values[name]);
        using var file = TorchArchiveFile.Open(Archive);
        Assert.Equal(values.Keys, file.Entries.Select(e => e.Name));
        Assert.All(values, v => Assert.True(file.Read(v.Key).equal(v.Value).all().item<bool>()));
        Assert.All(values, v => Assert.Equal(v.Value.dtype, file.Read(v.Key).dtype));
        Assert.Equal(["x.bin"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName));
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Moves sizes and offsets of the central directory into zip64 extra fields, as in archives above 4 GB.</summary>
    private static byte[] WithWideFields(byte[] zip)
    {
        var end = zip.AsSpan().LastIndexOf("PK\u0005\u0006"u8);
        var start = BitConverter.ToInt32(zip, end + 16);
        var directory = new List<byte>();
        for (var at = start; at < end;)
        {
            var (name, extra) = (BitConverter.ToUInt16(zip, at + 28), BitConverter.ToUInt16(zip, at + 30));
            byte[] full = [0xff, 0xff, 0xff, 0xff], wide = [1, 0, 24, 0];
            directory.AddRange([.. zip[at..(at + 20)], .. full, .. full, .. zip[(at + 28)..(at + 30)], .. BitConverter.GetBytes((ushort)28), .. zip[(at + 32)..(at + 42)], .. full]);
            directory.AddRange([.. zip[(at + 46)..(at + 46 + name)], .. wide, .. Wide(at + 24), .. Wide(at + 20), .. Wide(at + 42)]);
            at += 46 + name + extra;
        }

        return [.. zip[..start], .. directory, .. zip[end..(end + 12)], .. BitConverter.GetBytes(directory.Count), .. zip[(end + 16)..]];

        byte[] Wide(int at) => BitConverter.GetBytes((long)BitConverter.ToUInt32(zip, at));
    }

    private static float[] Values(TorchArchiveFile file, string name)
    {
        using var tensor = file.Read(name);
        return tensor.data<float>().ToArray();
    }
}
