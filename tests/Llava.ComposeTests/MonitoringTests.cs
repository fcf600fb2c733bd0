using Llava.Testing;

namespace Llava.ComposeTests;

public sealed class MonitoringTests
{
    [Fact]
    public void Prometheus_itself_finds_nothing_wrong_with_its_settings_and_alerts() =>
        Assert.Contains("rules found", Shell.Run("promtool", "check", "config", Repository.Path("compose", "prometheus", "prometheus.yml")), StringComparison.Ordinal);

    [Fact]
    public void Prometheus_can_read_every_expression_of_the_board()
    {
        var folder = Directory.CreateTempSubdirectory("llava-board-");
        try
        {
            // Grafana puts an interval and the chosen models in before it asks.
            var rules = MonitoringFiles.Panels.Select((panel, index) =>
                $"  - record: panel:{index}\n    expr: '{panel.Expression.Replace("$__rate_interval", "1m", StringComparison.Ordinal).Replace("$model", ".*", StringComparison.Ordinal)}'");
            var file = Path.Combine(folder.FullName, "board.yml");
            File.WriteAllText(file, $"groups:\n- name: board\n  rules:\n{string.Join('\n', rules)}\n");

            Assert.Contains($"{MonitoringFiles.Panels.Count} rules found", Shell.Run("promtool", "check", "rules", file), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_board_asks_the_data_source_that_is_provisioned()
    {
        var source = Assert.Single(ComposeFile.Load(Path.Combine("grafana", "provisioning", "datasources", "prometheus.yml")).Root["datasources"]!.AsArray())!;

        Assert.All(MonitoringFiles.Board["panels"]!.AsArray(), panel => Assert.Equal(source["uid"]!.ToString(), panel!["datasource"]!["uid"]!.ToString()));
        Assert.Equal("http://prometheus:9090", source["url"]!.ToString());
    }

    [Fact]
    public void Prometheus_asks_services_of_Compose_on_ports_they_listen_on()
    {
        var compose = ComposeFile.Load("compose.yaml");
        Assert.All(ComposeFile.Load(Path.Combine("prometheus", "prometheus.yml")).Root["scrape_configs"]!.AsArray(), job =>
        {
            var target = Assert.Single(job!["dns_sd_configs"]!.AsArray())!;
            var service = Assert.Single(target["names"]!.AsArray())!.ToString();
            var port = compose.EnvironmentOf(service).GetValueOrDefault("Llava__Http__MetricsPort", Dockerfile.Load().Only("EXPOSE"));
            Assert.Equal(port, target["port"]!.ToString());
        });
    }
}
