using System.Formats.Tar;
using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>
/// A WebDataset archive: neighbouring members whose names are the same up to the first dot are one sample. Images are referred to
/// by their place in the archive and never copied; the position is the offset behind the last member of a sample.
/// </summary>
internal sealed class WebDatasetSource(AllowedRoots roots) : IJobSource
{
    private const int BlockBytes = 512;

    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.Find(request.Source, roots);
        RecordItems items = new(roots, "sample", path, folder);
        var (offset, number) = RecordPosition.Parse(position);
        TarSample? sample = null;
        await foreach (var member in MembersAsync(path, offset, cancellation))
        {
            if (sample is not null && sample.Key != member.Key)
            {
                yield return Make(sample);
                sample = null;
            }

            sample ??= new(member.Key, path);
            sample.Add(member);
        }

        if (sample is not null)
        {
            yield return Make(sample);
        }

        SourceItem Make(TarSample whole)
        {
            number++;
            return items.Make(number, new RecordPosition(whole.End, number).ToString(), _ => whole.Parse());
        }
    }

    private static async IAsyncEnumerable<TarMember> MembersAsync(string path, long offset, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 64 * 1024, useAsync: false);
        file.Position = offset;
        await using TarReader archive = new(file, leaveOpen: true);
        while (await NextAsync(archive, path, cancellation) is { } entry)
        {
            var end = entry.DataOffset + ((entry.Length + BlockBytes - 1) / BlockBytes * BlockBytes);
            if (end > file.Length)
            {
                throw Broken(path, $"it ends inside of '{entry.Name}'");
            }

            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && TarMember.KeyOf(entry.Name) is { } key)
            {
                yield return await TarMember.ReadAsync(key, entry, end, cancellation);
            }
        }
    }

    private static async Task<TarEntry?> NextAsync(TarReader archive, string path, CancellationToken cancellation)
    {
        try
        {
            return await archive.GetNextEntryAsync(copyData: false, cancellation);
        }
        catch (Exception broken) when (broken is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw Broken(path, broken.Message, broken);
        }
    }

    private static SourceException Broken(string path, string reason, Exception? inner = null) =>
        new("invalid_archive", $"'{path}' cannot be read as a tar archive: {reason.TrimEnd('.')}. Give a whole archive, not compressed.", inner);
}
