@session_token
Feature: The Partner's Klarna Network session token
  A token that Klarna gave to the Partner's page. It ties the payment to what Klarna knows of the session.

  @AP-10 @AP-11
  Scenario: The Partner's session token goes with the initial authorize
    Given a Partner with an order of 459.00 SEK
    And the Partner has a Klarna Network session token
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the Partner's session token reached Klarna with the initial authorize

  @AP-10 @AP-11
  Scenario: A session token of 8192 characters is neither cut nor refused
    Given a Partner with an order of 459.00 SEK
    And the Partner has a Klarna Network session token of 8192 characters
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the Partner's session token reached Klarna with the initial authorize
