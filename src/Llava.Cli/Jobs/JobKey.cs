using System.Security.Cryptography;
using System.Text;
using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>
/// The idempotency key of a command: the same request over the same files finds the job it began before. Names, sizes and times of the
/// files stand for their content.
/// </summary>
internal static class JobKey
{
    public static string Of(JobRequest request)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(Encoding.UTF8.GetBytes(RequestJson.Write(request)));
        foreach (var file in Files(request.Source))
        {
            digest.AppendData(Encoding.UTF8.GetBytes($"{file.FullName}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}\n"));
        }

        return "cli-" + Convert.ToHexStringLower(digest.GetHashAndReset())[..32];
    }

    private static IEnumerable<FileInfo> Files(SourceDescription source) => source.Kind == SourceKind.Folder
        ? new DirectoryInfo(source.Path)
            .EnumerateFiles(source.Pattern ?? "*", new EnumerationOptions { RecurseSubdirectories = source.Recursive, IgnoreInaccessible = true })
            .OrderBy(f => f.FullName, StringComparer.Ordinal)
        : [new FileInfo(source.Path)];
}
