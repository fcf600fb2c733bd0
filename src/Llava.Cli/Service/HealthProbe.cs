using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Llava.Cli.Service;

/// <summary>Asks a service process whether it is ready: what a container's health check runs, so that its image needs no curl.</summary>
internal static class HealthProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Says what was answered; the exit code is 0 when the process is ready.</summary>
    /// <param name="url">Where to ask; null asks this machine at the configured port.</param>
    /// <param name="output">Takes the answer.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<int> RunAsync(string? url, TextWriter output, CancellationToken cancellation)
    {
        using HttpClient http = new() { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri(url ?? Here()), cancellation);
            await output.WriteLineAsync(await answer.Content.ReadAsStringAsync(cancellation));
            return answer.IsSuccessStatusCode ? ExitCodes.Ok : ExitCodes.CannotReachOrLoad;
        }
        catch (Exception failure) when (failure is HttpRequestException or UriFormatException || (failure is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            await output.WriteLineAsync($"'{url ?? Here()}' does not answer: {failure.Message}");
            return ExitCodes.CannotReachOrLoad;
        }
    }

    private static string Here()
    {
        var settings = new ConfigurationBuilder().AddEnvironmentVariables().Build().GetSection(HttpOptions.SectionName).Get<HttpOptions>() ?? new();
        return string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{settings.Port}/health");
    }
}
