using Llava.Ledger.Jobs;

namespace Llava.Dashboard.Jobs;

/// <summary>Results as files. The host implements it: it has the writers of every format.</summary>
public interface IJobExports
{
    /// <summary>The formats there are.</summary>
    IReadOnlyList<ExportFormat> Formats { get; }

    /// <summary>Writes all results there are; of a job of any size only a page is in memory.</summary>
    /// <param name="job">The job.</param>
    /// <param name="format">Name of one of <see cref="Formats"/>.</param>
    /// <param name="output">Where to, from the first byte on.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    Task WriteAsync(JobRecord job, string format, Stream output, CancellationToken cancellationToken);
}

/// <summary>A format of results.</summary>
/// <param name="Name">As the command line and addresses spell it.</param>
/// <param name="Meaning">What it is, for people.</param>
/// <param name="Suffix">End of the file's name, with its dot.</param>
/// <param name="ContentType">Media type.</param>
public sealed record ExportFormat(string Name, string Meaning, string Suffix, string ContentType);
