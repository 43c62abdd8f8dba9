Feature: Calls to Klarna are secured
  How the acquirer's calls travel. Klarna takes TLS 1.2 and newer, and wants to be called by its name.

  @AP-05
  Scenario: Klarna is called by TLS, by its name
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer called Klarna by TLS, naming the server
